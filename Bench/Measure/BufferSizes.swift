/// Buffers of one size each in place of those that adapt.
extension Ablation {
    /// Where large transfers lease buffers all the time. Objects up to 1 MiB have one of their own
    /// length, whatever is configured.
    private static let downloadNames = ["get-1g", "get-1g-16c"]
    private static let uploadNames = ["put-1m", "put-1g", "put-1g-4c"]
    /// What one checksum of a large object covers: no buffer of a download is smaller.
    private static let downloadBytesMin = 64 << 10

    static let bufferRowNames = downloadNames + uploadNames

    /// Every size that the configuration knows, a line each.
    public static let buffers = [32, 64, 128, 256, 512, 1024].map { fixedBuffers($0 << 10) }

    /// What every Millrace of such a run has in its configuration.
    public static let readingDisk = "downloads.verify = \"always\""

    private static func fixedBuffers(_ bytes: Int) -> Ablation {
        let size = bytes < 1 << 20 ? "\(bytes >> 10)KiB" : "\(bytes >> 20)MiB"
        let configuration = [
            "performance.adaptive_buffers = false",
            "performance.min_buffer_size = \"\(size)\"",
            "performance.max_buffer_size = \"\(size)\"",
        ]
        return Ablation(
            "adaptive-buffers-\(size)", configuration, bufferBytes: bytes,
            rows: (bytes < downloadBytesMin ? [] : downloadNames) + uploadNames,
            goals: [RowGoal(.cpu, .atMost(1.05), of: .reduced)])
    }
}
