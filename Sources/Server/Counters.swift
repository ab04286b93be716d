/// What one core counts; plain additions on its own thread, added up when somebody asks.

import Loop

struct Counters: Sendable {
    var connections: UInt64 = 0
    var connectionsRefused: UInt64 = 0
    var connectionsHandedOver: UInt64 = 0
    var connectionErrors: UInt64 = 0
    var acceptErrors: UInt64 = 0
    var inputOverflows: UInt64 = 0
    var timeouts: UInt64 = 0
    var bytesIn: UInt64 = 0
    var bytesOut: UInt64 = 0

    var downloads: UInt64 = 0
    var downloadErrors: UInt64 = 0
    var rangeRequests: UInt64 = 0
    var uploads: UInt64 = 0
    /// Of those that may be resumed.
    var uploadsCreated: UInt64 = 0
    /// Requests that brought bytes for one of those.
    var uploadChunks: UInt64 = 0
    var uploadBytes: UInt64 = 0
    var uploadErrors: UInt64 = 0
    /// Uploads, or parts of them, that were not what their clients said.
    var digestMismatches: UInt64 = 0
    /// Plans for chunks, by `ChunkReason`.
    var chunkPlans = InlineArray<6, UInt64>(repeating: 0)
    /// What was remembered of clients and is too old, too much or makes no sense.
    var profilesDropped: UInt64 = 0
    var profileSaveErrors: UInt64 = 0
    var deletes: UInt64 = 0
    var cacheHits: UInt64 = 0
    var cacheMisses: UInt64 = 0
    var signatureRefusals: UInt64 = 0
    var sentFileBytes: UInt64 = 0
    var sentDirectBytes: UInt64 = 0
    var zeroCopySends: UInt64 = 0
    var zeroCopyCopied: UInt64 = 0
    /// By status class, 1xx to 5xx.
    var responses: InlineArray<6, UInt64> = [0, 0, 0, 0, 0, 0]

    /// New requests that were answered with 503 for overload, by `Admission.Reason`.
    var admissionRefusals: InlineArray<4, UInt64> = [0, 0, 0, 0]
    var transfers = TransferCounts()
    /// How late probes came back.
    var queueDelays = LatencyHistogram()

    /// How long requests waited, by what for: `WaitPhase` says more.
    var queueWaits = LatencyHistogram()
    var receiveWaits = LatencyHistogram()
    var sendWaits = LatencyHistogram()

    mutating func answered(_ status: UInt16) { responses[Int(status / 100)] &+= 1 }
}
