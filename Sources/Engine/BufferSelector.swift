/// Which size of buffer each large transfer of a core leases: what its link can make use of, at
/// most what has turned out cheapest a byte on its way through the server, at most its share of the
/// memory there is.
///
///     link (TransferPace) ─┐
///     cost (BufferSearch) ─┼─▶ the smallest ─▶ lease
///     share of the pool ───┘

public struct BufferSelector: Sendable {
    /// Ways through the server that differ in what a byte costs.
    public enum Path: Int, CaseIterable, Sendable {
        /// Read by O_DIRECT, compared, sent.
        case download
        /// Received, checksummed, written by O_DIRECT.
        case upload
    }

    /// Buffers of a download that are being read or sent.
    public static let downloadDepthMax = 5
    private static let downloadGoalNanoseconds: UInt64 = 100_000_000
    private static let uploadGoalNanoseconds: UInt64 = 250_000_000

    private let limits: BufferLimits
    private let downloadLimits: BufferLimits
    private let poolBytes: Int
    private var download: BufferSearch
    private var upload: BufferSearch
    /// Transfers that lease buffers now.
    public private(set) var transfers = 0

    /// `poolBytes` are what all leases come from. A download's buffer has at least
    /// `downloadBytesMin`, one of `BufferLimits.sizes`: what one checksum covers.
    public init(_ limits: BufferLimits, downloadBytesMin: Int, poolBytes: Int) {
        self.limits = limits
        self.poolBytes = poolBytes
        downloadLimits = limits.atLeast(downloadBytesMin)
        download = BufferSearch(downloadLimits)
        upload = BufferSearch(limits)
    }

    private func limits(_ path: Path) -> BufferLimits {
        switch path {
        case .download: downloadLimits
        case .upload: limits
        }
    }

    private func search(_ path: Path) -> BufferSearch {
        switch path {
        case .download: download
        case .upload: upload
        }
    }

    // MARK: One transfer

    /// How a transfer begins. `shown`: the size that the one before on its connection had come to,
    /// the same way, or what its link fills or takes in time; 0 for the first. `bufferBytesMax`:
    /// more is of no use to its link.
    public func pace(
        _ path: Path, shown: Int = 0, bufferBytesMax: Int = .max
    ) -> TransferPace {
        let limits = limits(path).atMost(bufferBytesMax)
        return switch path {
        case .download:
            TransferPace(
                limits, depth: 2...BufferSelector.downloadDepthMax,
                goalNanoseconds: BufferSelector.downloadGoalNanoseconds, shown: shown)
        case .upload:
            TransferPace(
                limits, depth: 1...1,
                goalNanoseconds: BufferSelector.uploadGoalNanoseconds, shown: shown)
        }
    }

    /// From here on the transfer has a share of the pool.
    public mutating func began() { transfers += 1 }

    public mutating func ended() {
        precondition(transfers > 0, "more transfers ended than began")
        transfers -= 1
    }

    private var shareBytes: Int { poolBytes / max(transfers, 1) }

    /// What the transfer's next buffer should hold.
    public func bufferBytes(_ path: Path, _ pace: TransferPace) -> Int {
        let limits = limits(path)
        return min(pace.bufferBytes, search(path).bufferBytes, limits.fitting(shareBytes))
    }

    /// How many buffers the transfer may hold at once; at least one.
    public func depth(_ path: Path, _ pace: TransferPace) -> Int {
        max(1, min(pace.depth, shareBytes / bufferBytes(path, pace)))
    }

    public func bufferBytesMin(_ path: Path) -> Int { limits(path).smallest }

    // MARK: What it costs

    /// Counts what a transfer has moved. True: `measured` wants to be told the time.
    public mutating func moved(_ path: Path, _ count: Int, now: UInt64) -> Bool {
        switch path {
        case .download: download.moved(count, now: now)
        case .upload: upload.moved(count, now: now)
        }
    }

    /// - Parameters:
    ///   - microseconds: processor time of the core's thread, modulo 2³⁰.
    ///   - leasedBytes: what of the pool is leased now.
    ///   - now: monotonic nanoseconds.
    public mutating func measured(
        _ path: Path, microseconds: UInt32, leasedBytes: Int, now: UInt64
    ) {
        switch path {
        case .download:
            download.measured(microseconds: microseconds, leasedBytes: leasedBytes, now: now)
        case .upload:
            upload.measured(microseconds: microseconds, leasedBytes: leasedBytes, now: now)
        }
    }

    /// For metrics.
    public func bestBytes(_ path: Path) -> Int { search(path).best }
    public func changes(_ path: Path) -> UInt64 { search(path).changes }
    public func trials(_ path: Path) -> UInt64 { search(path).trials }
}
