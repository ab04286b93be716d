/// What a core knows of its clients' links: a row for each connection that has had a large
/// transfer, from its beginning to the connection's end, and to the last answer that the kernel
/// owes of it. Others have none.

import Engine
import HTTP

struct Link: Sendable {
    /// Its connection's; nil once that has ended.
    fileprivate(set) var slot: Int?
    private var upload = LinkEstimator()
    private var download = LinkEstimator()
    var classifier = LinkClassifier()
    var hints = LinkHints()
    /// The number of the request that they came with, or would have.
    var hintedBy: UInt64 = 0
    /// Where it comes from, once the kernel has said; nil within: from no network.
    var network: ClientKey??
    /// The transfer that is under way.
    var watch: TransferWatch?
    /// Whose credential that has.
    var user: ClientKey?
    var inquiry = LinkInquiry()
    /// What its socket was told.
    var tuning = LinkTuning()
    /// For which class, and for which estimate of downloads, that was.
    var tunedClass = LinkClass.unknown
    var tunedEstimate = LinkEstimate()
    /// The kernel does not tell of it.
    var isBlind = false

    fileprivate init(slot: Int) { self.slot = slot }

    mutating func observe(
        _ sample: LinkSample, _ direction: LinkDirection, isBeginning: Bool
    ) {
        switch direction {
        case .upload: upload.observe(sample, direction, isBeginning: isBeginning)
        case .download: download.observe(sample, direction, isBeginning: isBeginning)
        }
    }

    /// By both ways together.
    var estimate: LinkEstimate { upload.estimate.combined(with: download.estimate) }

    func estimate(_ direction: LinkDirection) -> LinkEstimate {
        switch direction {
        case .upload: upload.estimate
        case .download: download.estimate
        }
    }
}

struct LinkTable: Sendable {
    private var links: [Link] = []
    private var free: [UInt32] = []
    var counters = LinkCounters()

    /// A connection's `link` is one more than its row's place: 0 for none.
    subscript(number: UInt32) -> Link {
        _read { yield links[Int(number) - 1] }
        _modify { yield &links[Int(number) - 1] }
    }

    var count: Int { links.count - free.count }

    mutating func add(_ slot: Int) -> UInt32 {
        let link = Link(slot: slot)
        if let number = free.popLast() {
            self[number] = link
            return number
        }
        links.append(link)
        return UInt32(links.count)
    }

    /// Its connection has ended.
    mutating func leave(_ number: UInt32) {
        self[number].slot = nil
        removeIfDone(number)
    }

    /// The kernel has answered something that was asked of it, and that was seen to.
    mutating func answered(_ number: UInt32) {
        self[number].inquiry.answersDue -= 1
        removeIfDone(number)
    }

    private mutating func removeIfDone(_ number: UInt32) {
        if self[number].slot == nil, self[number].inquiry.answersDue == 0 { free.append(number) }
    }
}

extension LinkHints {
    init(_ hints: ClientHints) {
        self.init()
        let isWeak =
            switch hints.connectionType {
            case .slow2G, .secondGeneration, .thirdGeneration: true
            case .fourthGeneration, nil: false
            }
        suggestsMobile = hints.savesData || isWeak
        // 0 is a round trip below what is told, which is rounded to 25 ms.
        if let count = hints.roundTripMilliseconds, count > 0 {
            roundTripNanoseconds = UInt64(count) * 1_000_000
        }
        if let count = hints.downlinkBitsPerSecond, count > 0 { bytesPerSecond = Double(count) / 8 }
    }
}
