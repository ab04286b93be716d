/// The metrics page: Prometheus text format 0.0.4, names with prefix `millrace_`, base units.

import Engine
import HTTP
import IO
import Loop
import Store

/// What one core has to say, taken at one moment on its own thread.
public struct CoreSnapshot: Sendable {
    let core: Int
    let turns: UInt64
    let completions: UInt64
    let counters: Counters
    let connections: Int
    let cacheBytesUsed: Int
    let cacheBytesTotal: Int
    let cacheObjects: Int
    let poolBytesFree: Int
    let poolBytesTotal: Int
    let poolQueue: Int
    /// How long those waited for a buffer who had to.
    let bufferWaits: LatencyHistogram
    let buffers: BufferSelector
    let lentBytes: Int
    let store: StoreStatistics
    /// New requests are refused while delays are above their target.
    let isShedding: Bool
    var links = LinkCounters()
    /// Monotonic, in nanoseconds.
    var takenAt: UInt64 = 0
}

/// What the store has to say for the whole process.
struct StoreSnapshot: Sendable {
    let small: VolumeSpace
    let large: VolumeSpace
    let capacityBytes: UInt64
    let failedVolumes: Int
    let unindexedChanges: Int
    let bytesReserved: UInt64
    let unfinishedUploads: Int
    let unfinishedBytes: UInt64
    var clientProfiles = 0
    var clientProfilesUnsaved = 0
    var resilience: ResilienceStatistics?
}

extension Core {
    private func storeSnapshot() async -> StoreSnapshot? {
        guard let shared else { return nil }
        let (small, large) = await shared.volumeSpace()
        let profiles = settings.profiles?.with { ($0.count, $0.unsavedCount) } ?? (0, 0)
        return StoreSnapshot(
            small: small, large: large, capacityBytes: shared.capacityBytes,
            failedVolumes: shared.failedVolumes.count, unindexedChanges: shared.unindexedCount,
            bytesReserved: shared.bytesReserved, unfinishedUploads: shared.unfinishedUploads,
            unfinishedBytes: shared.unfinishedBytes, clientProfiles: profiles.0,
            clientProfilesUnsaved: profiles.1,
            resilience: await shared.resilience(at: loop.now))
    }

    public func snapshot() -> CoreSnapshot {
        CoreSnapshot(
            core: loop.index, turns: loop.turnCount, completions: loop.completionCount,
            counters: counters, connections: connections.count,
            cacheBytesUsed: cache.bytesUsed, cacheBytesTotal: cache.bytesTotal,
            cacheObjects: cache.count, poolBytesFree: memory.bytesFree,
            poolBytesTotal: memory.bytesTotal, poolQueue: memory.queueLength,
            bufferWaits: memory.waits, buffers: buffers, lentBytes: zeroCopy.lentBytes,
            store: store?.statistics ?? StoreStatistics(), isShedding: admission.isShedding,
            links: links.counters, takenAt: loop.now)
    }

    func handleMetrics(_ request: Request) async throws(Answer) {
        try requireRead(request)
        let path = request.bytes.span.extracting(request.head.path)
        if path.equals("/health") {
            return writeLine(request, "alive")
        }
        if path.equals("/ready") { return try tellWhetherReady(request) }
        guard path.equals("/metrics") else { throw Answer(.notFound, "only /metrics is here") }
        var snapshots: [CoreSnapshot] = []
        for core in peers { snapshots.append(await core.snapshot()) }
        await respond(
            request, type: "text/plain; version=0.0.4; charset=utf-8",
            Array(MetricsDocument.text(snapshots, await storeSnapshot()).utf8))
    }
}

enum MetricsDocument {
    private struct Metric {
        let name: String
        let kind: String
        let help: String
        let value: (CoreSnapshot) -> UInt64
    }

    private static func counter(
        _ name: String, _ help: String, _ value: @escaping (CoreSnapshot) -> UInt64
    ) -> Metric { Metric(name: name, kind: "counter", help: help, value: value) }

    private static func gauge(
        _ name: String, _ help: String, _ value: @escaping (CoreSnapshot) -> Int
    ) -> Metric {
        Metric(name: name, kind: "gauge", help: help) { UInt64(clamping: value($0)) }
    }

    /// `store` is nil before recovery has ended: nobody knows its numbers then.
    static func text(_ snapshots: [CoreSnapshot], _ store: StoreSnapshot?) -> String {
        var text = ""
        for metric in frontMetrics + requestMetrics + transferMetrics + storeMetrics {
            text += "# HELP millrace_\(metric.name) \(metric.help)\n"
            text += "# TYPE millrace_\(metric.name) \(metric.kind)\n"
            for snapshot in snapshots {
                text += "millrace_\(metric.name){core=\"\(snapshot.core)\"}"
                text += " \(metric.value(snapshot))\n"
            }
        }
        text += "# HELP millrace_responses_total Answers by status class.\n"
        text += "# TYPE millrace_responses_total counter\n"
        for snapshot in snapshots {
            for digit in 1...5 {
                text += "millrace_responses_total{core=\"\(snapshot.core)\",class=\"\(digit)xx\"}"
                text += " \(snapshot.counters.responses[digit])\n"
            }
        }
        text += bufferText(snapshots)
        text += phaseText(snapshots)
        text += transferText(snapshots)
        text += admissionText(snapshots)
        text += chunkText(snapshots)
        text += linkText(snapshots, now: snapshots.reduce(0) { max($0, $1.takenAt) })
        if let store { text += storeText(store) + profileText(store, snapshots) }
        if let resilience = store?.resilience { text += resilienceText(resilience) }
        return text
    }

    /// What the selector of buffers has found out, by core and by way through the server.
    private static func bufferText(_ snapshots: [CoreSnapshot]) -> String {
        func samples(
            _ name: String, _ kind: String, _ help: String,
            _ value: (BufferSelector, BufferSelector.Path) -> UInt64
        ) -> String {
            var text = "# HELP millrace_\(name) \(help)\n# TYPE millrace_\(name) \(kind)\n"
            for snapshot in snapshots {
                for path in BufferSelector.Path.allCases {
                    text += "millrace_\(name){core=\"\(snapshot.core)\",path=\"\(path)\"} "
                    text += "\(value(snapshot.buffers, path))\n"
                }
            }
            return text
        }
        return samples(
            "optimal_buffer_size_bytes", "gauge", "Buffer size at which a byte has cost least.",
            { UInt64($0.bestBytes($1)) })
            + samples(
                "buffer_size_changes_total", "counter", "Times that another buffer size became it.",
                { $0.changes($1) })
            + samples(
                "buffer_trials_total", "counter", "Trials of a neighbouring buffer size.",
                { $0.trials($1) })
    }

    /// The process has one store: these have no core.
    private static func storeText(_ store: StoreSnapshot) -> String {
        func gauge(_ name: String, _ help: String, _ samples: [(String, UInt64)]) -> String {
            samples.reduce(
                "# HELP millrace_\(name) \(help)\n# TYPE millrace_\(name) gauge\n"
            ) { $0 + "millrace_\(name)\($1.0) \($1.1)\n" }
        }
        func classes(_ value: (VolumeSpace) -> UInt64) -> [(String, UInt64)] {
            [("{class=\"small\"}", value(store.small)), ("{class=\"large\"}", value(store.large))]
        }
        return gauge("volume_bytes", "Size of the volumes.", classes(\.totalBytes))
            + gauge("volume_free_bytes", "Free space inside the volumes.", classes(\.freeBytes))
            + gauge(
                "volume_capacity_bytes", "What the volumes together may grow to.",
                [("", store.capacityBytes)])
            + gauge(
                "failed_volumes", "Volumes that take no writes at the moment.",
                [("", UInt64(store.failedVolumes))])
            + gauge(
                "unindexed_changes", "Changes that wait for the index.",
                [("", UInt64(store.unindexedChanges))])
            + gauge(
                "reserved_bytes", "What large uploads have announced and not yet sent.",
                [("", store.bytesReserved)])
            + gauge(
                "unfinished_uploads", "Uploads that may be gone on with.",
                [("", UInt64(store.unfinishedUploads))])
            + gauge(
                "unfinished_upload_bytes", "Space that those have, or have reserved.",
                [("", store.unfinishedBytes)])
    }

    private static var frontMetrics: [Metric] {
        [
            counter("turns_total", "Turns of the ring.") { $0.turns },
            counter("completions_total", "Completions that they brought.") { $0.completions },
            gauge("connections", "Open connections.") { $0.connections },
            counter("connections_total", "Connections accepted.") { $0.counters.connections },
            counter("connections_refused_total", "Connections closed at accept: too many.") {
                $0.counters.connectionsRefused
            },
            counter("connections_handed_over_total", "Connections given to a core with fewer.") {
                $0.counters.connectionsHandedOver
            },
            counter("connection_errors_total", "Connections that ended with an error.") {
                $0.counters.connectionErrors
            },
            counter("accept_errors_total", "Failed accepts.") { $0.counters.acceptErrors },
            counter("timeouts_total", "Heads, bodies, answers or idle times past their limit.") {
                $0.counters.timeouts
            },
            counter("input_overflows_total", "Connections that sent more than is kept.") {
                $0.counters.inputOverflows
            },
            counter("received_bytes_total", "Bytes received.") { $0.counters.bytesIn },
            counter("sent_bytes_total", "Bytes sent.") { $0.counters.bytesOut },
            counter("signature_refusals_total", "Uploads with a bad or missing signature.") {
                $0.counters.signatureRefusals
            },
            gauge("pool_free_bytes", "Leasable buffer memory that is free.") { $0.poolBytesFree },
            gauge("pool_bytes", "Leasable buffer memory.") { $0.poolBytesTotal },
            gauge("pool_transfers", "Large transfers that lease from it now.") {
                $0.buffers.transfers
            },
            gauge("pool_queue", "Handlers that wait for a buffer.") { $0.poolQueue },
            gauge("admission_shedding", "1 while new requests are refused for their delay.") {
                $0.isShedding ? 1 : 0
            },
        ]
    }

    private static var requestMetrics: [Metric] {
        [
            counter("downloads_total", "GET and HEAD of objects.") { $0.counters.downloads },
            counter("download_errors_total", "Downloads that failed on our side.") {
                $0.counters.downloadErrors
            },
            counter("range_requests_total", "Downloads with a range.") {
                $0.counters.rangeRequests
            },
            counter("uploads_total", "Authorised uploads.") { $0.counters.uploads },
            counter("resumable_uploads_total", "Of those, begun so that they may be gone on with.")
            {
                $0.counters.uploadsCreated
            },
            counter("upload_chunks_total", "Requests that brought bytes for such uploads.") {
                $0.counters.uploadChunks
            },
            counter("upload_bytes_total", "Bytes of acknowledged uploads.") {
                $0.counters.uploadBytes
            },
            counter("upload_errors_total", "Uploads that ended without acknowledgement.") {
                $0.counters.uploadErrors
            },
            counter("digest_mismatches_total", "Uploads or parts that were not what was said.") {
                $0.counters.digestMismatches
            },
            counter("deletes_total", "Objects deleted.") { $0.counters.deletes },
        ]
    }

    private static var transferMetrics: [Metric] {
        [
            counter("cache_hits_total", "Downloads answered from the hot cache.") {
                $0.counters.cacheHits
            },
            counter("cache_misses_total", "Downloads that asked the store.") {
                $0.counters.cacheMisses
            },
            gauge("cache_used_bytes", "Hot cache memory in use.") { $0.cacheBytesUsed },
            gauge("cache_bytes", "Hot cache memory.") { $0.cacheBytesTotal },
            gauge("cache_objects", "Objects in the hot cache.") { $0.cacheObjects },
            counter("sent_file_bytes_total", "Bytes of large objects sent from the page cache.") {
                $0.counters.sentFileBytes
            },
            counter("sent_direct_bytes_total", "Bytes read with O_DIRECT and sent.") {
                $0.counters.sentDirectBytes
            },
            counter("zero_copy_sends_total", "Sends that were to leave without a copy.") {
                $0.counters.zeroCopySends
            },
            counter("zero_copy_copied_total", "Those that the kernel copied all the same.") {
                $0.counters.zeroCopyCopied
            },
            gauge("zero_copy_lent_bytes", "Buffers that the kernel sends from.") { $0.lentBytes },
        ]
    }

    private static var storeMetrics: [Metric] {
        [
            counter("store_puts_total", "Objects published.") { $0.store.puts },
            counter("store_removals_total", "Removals made durable.") { $0.store.removals },
            counter("store_written_bytes_total", "Bytes written to volumes.") {
                $0.store.bytesWritten
            },
            counter("store_read_bytes_total", "Bytes read from volumes.") { $0.store.bytesRead },
            counter(
                "upload_progress_entries_total",
                "Entries of the progress logs: uploads settled without a commit of the catalog."
            ) { $0.store.progressEntries },
            counter("store_hashed_bytes_total", "Bytes that SHA was made of.") {
                $0.store.bytesHashed
            },
            counter("flushes_total", "Flushes of volumes.") { $0.store.flushes },
            counter("flushed_total", "Requests that those flushes made durable.") {
                $0.store.flushed
            },
            counter("corruptions_total", "Stored blocks that failed their checksum.") {
                $0.store.corruptions
            },
            gauge("deleted_but_pinned_bytes", "Deleted objects' bytes that a reader holds.") {
                Int(clamping: $0.store.bytesDeletedButPinned)
            },
        ]
    }
}
