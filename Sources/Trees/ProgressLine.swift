/// The one line that says how far a run is, out of what was counted and when.

public struct ProgressLine: Sendable {
    /// What there is to do, once it has been counted.
    public struct Total: Equatable, Sendable {
        public var files: Int
        public var bytes: UInt64

        public init(files: Int, bytes: UInt64) { (self.files, self.bytes) = (files, bytes) }
    }

    /// How far the run was at a moment.
    private struct Sample {
        let time: UInt64
        /// Bytes that went through, those of files that are not finished included.
        let bytesMoved: UInt64
        let bytesDone: UInt64
        let filesDone: Int
    }

    /// The rate is that of the last few seconds: long enough to be steady, short enough to be true.
    private static let spanMilliseconds: UInt64 = 5000
    private var samples: [Sample] = []

    public init() {}

    /// The line for now.
    ///
    /// - Parameters:
    ///   - time: milliseconds of a clock that never goes back.
    ///   - bytesMoved: all that went through since the start.
    ///   - columns: of the terminal, to which the line is cut, with a bar; nil for a line that
    ///     stays.
    public mutating func text(
        _ counts: TransferCounts, bytesMoved: UInt64, total: Total?, at time: UInt64, columns: Int?
    ) -> String {
        take(
            Sample(
                time: time, bytesMoved: bytesMoved, bytesDone: counts.bytesDone,
                filesDone: counts.filesDone))
        var parts: [String] = []
        let files = total.map { "\(counts.filesDone) of \($0.files) files" }
        parts.append(files ?? "\(counts.filesDone) files")
        let bytes = Quantity.bytes(max(counts.bytesDone, bytesMoved))
        parts.append(total.map { "\(bytes) of \(Quantity.bytes($0.bytes))" } ?? bytes)
        parts.append("\(Quantity.bytes(bytesPerSecond))/s")
        if let total, let left = secondsLeft(counts, total) {
            parts.append("\(Quantity.seconds(left)) left")
        }
        let text = parts.joined(separator: ", ")
        guard let columns else { return text }
        let bar = total.map { ProgressLine.bar(counts, bytesMoved, $0) + " " } ?? ""
        return String((bar + text).prefix(max(columns, 0)))
    }

    /// `[########------------]`: as full as the files are done, or their bytes if those are behind.
    private static func bar(
        _ counts: TransferCounts, _ bytesMoved: UInt64, _ total: Total
    ) -> String {
        let width = 20
        let bytes = min(total.bytes, max(counts.bytesDone, bytesMoved))
        let forBytes =
            total.bytes == 0 ? width : Int(Double(bytes) / Double(total.bytes) * Double(width))
        let forFiles =
            total.files == 0
            ? width : Int(Double(counts.filesDone) / Double(total.files) * Double(width))
        // Of one long file only the bytes tell anything.
        let full = min(width, total.files == 1 ? forBytes : min(forBytes, forFiles))
        let (done, left) = (
            repeatElement("#", count: full), repeatElement("-", count: width - full)
        )
        return "[" + done.joined() + left.joined() + "]"
    }

    private mutating func take(_ sample: Sample) {
        samples.append(sample)
        let start = sample.time - min(sample.time, ProgressLine.spanMilliseconds)
        // The last one before the span begins stays, so that the span is covered.
        while samples.count > 2, samples[1].time <= start { samples.removeFirst() }
    }

    private var spanMilliseconds: UInt64 {
        guard let first = samples.first, let last = samples.last else { return 0 }
        return last.time - first.time
    }

    private var bytesPerSecond: UInt64 {
        guard let first = samples.first, let last = samples.last, spanMilliseconds > 0 else {
            return 0
        }
        return ProgressLine.rate(last.bytesMoved - first.bytesMoved, spanMilliseconds)
    }

    /// By what takes longer: the bytes that are left, or the files.
    private func secondsLeft(_ counts: TransferCounts, _ total: Total) -> UInt64? {
        guard let first = samples.first, let last = samples.last, spanMilliseconds > 0 else {
            return nil
        }
        let bytesMoved = max(
            last.bytesMoved - first.bytesMoved, last.bytesDone - first.bytesDone)
        let filesDone = UInt64(last.filesDone - first.filesDone)
        let bytesLeft = total.bytes - min(total.bytes, max(counts.bytesDone, last.bytesMoved))
        let filesLeft = UInt64(max(0, total.files - counts.filesDone))
        guard bytesMoved > 0 || bytesLeft == 0, filesDone > 0 || bytesMoved > 0 else { return nil }
        let forBytes = bytesLeft == 0 ? 0 : bytesLeft * spanMilliseconds / 1000 / bytesMoved
        let forFiles = filesDone == 0 ? 0 : filesLeft * spanMilliseconds / 1000 / filesDone
        return max(forBytes, forFiles)
    }

    private static func rate(_ count: UInt64, _ milliseconds: UInt64) -> UInt64 {
        count / milliseconds * 1000 + count % milliseconds * 1000 / milliseconds
    }
}
