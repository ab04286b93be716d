/// How long transfers took and how fast they were, and how the metrics page tells that.
///
/// One transfer is one request. Answers from the hot cache, of which there are most, are counted in
/// `Counters.cacheHits` alone: they leave with the turn of the ring that brought the request, which
/// is what the first bucket of latencies stands for, and the page puts them there.

import Loop

struct TransferCounts: Equatable, Sendable {
    /// Of shorter bodies the rate says nothing of the link.
    static let ratedBytesMin: UInt64 = 64 << 10

    private(set) var uploadLatencies = LatencyHistogram()
    private(set) var uploadRates = MagnitudeHistogram(leastBound: 16 << 10)
    private(set) var downloadLatencies = LatencyHistogram()
    private(set) var downloadRates = MagnitudeHistogram(leastBound: 16 << 10)
    /// What requests have brought for uploads that may be resumed.
    private(set) var chunkSizes = MagnitudeHistogram(leastBound: 4 << 10)

    /// A request that brought `bytes` and is about to be told that they are stored.
    mutating func uploaded(_ bytes: UInt64, nanoseconds: UInt64) {
        uploadLatencies.add(nanoseconds)
        if let rate = TransferCounts.rate(bytes, nanoseconds) { uploadRates.add(rate) }
    }

    mutating func uploadedChunk(_ bytes: UInt64, nanoseconds: UInt64) {
        chunkSizes.add(bytes)
        uploaded(bytes, nanoseconds: nanoseconds)
    }

    /// The last of `bytes` has been handed to the client's socket.
    mutating func downloaded(_ bytes: UInt64, nanoseconds: UInt64) {
        downloadLatencies.add(nanoseconds)
        if let rate = TransferCounts.rate(bytes, nanoseconds) { downloadRates.add(rate) }
    }

    /// Bytes per second; nil where that would be no measure.
    static func rate(_ bytes: UInt64, _ nanoseconds: UInt64) -> UInt64? {
        guard bytes >= ratedBytesMin, nanoseconds > 0 else { return nil }
        return UInt64(Double(bytes) * 1e9 / Double(nanoseconds))
    }
}

extension MetricsDocument {
    static func transferText(_ snapshots: [CoreSnapshot]) -> String {
        func latencies(
            _ name: String, _ help: String,
            _ value: (CoreSnapshot) -> (LatencyHistogram, atOnce: UInt64)
        ) -> String {
            head(name, "histogram", help)
                + snapshots.map { snapshot in
                    let (histogram, atOnce) = value(snapshot)
                    return samples(name, "core=\"\(snapshot.core)\"", histogram, atOnce: atOnce)
                }.joined()
        }
        func magnitudes(
            _ name: String, _ help: String, _ value: (TransferCounts) -> MagnitudeHistogram
        ) -> String {
            head(name, "histogram", help)
                + snapshots.map {
                    samples(name, "core=\"\($0.core)\"", value($0.counters.transfers))
                }.joined()
        }
        return latencies("upload_latency_seconds", "From a request's head to its bytes stored.") {
            ($0.counters.transfers.uploadLatencies, 0)
        }
            + magnitudes(
                "upload_throughput_bytes_per_second", "Of requests that brought 64 KiB and more."
            ) { $0.uploadRates }
            + magnitudes(
                "chunk_upload_size_bytes", "What requests brought for resumable uploads."
            ) { $0.chunkSizes }
            + latencies(
                "download_latency_seconds", "From a request's head to its last byte handed over."
            ) { ($0.counters.transfers.downloadLatencies, $0.counters.cacheHits) }
            + magnitudes(
                "download_throughput_bytes_per_second", "Of downloads of 64 KiB and more."
            ) { $0.downloadRates }
    }

    static func head(_ name: String, _ kind: String, _ help: String) -> String {
        "# HELP millrace_\(name) \(help)\n# TYPE millrace_\(name) \(kind)\n"
    }

    /// Cumulative, bounds in seconds. `atOnce` more took less than the first bound.
    static func samples(
        _ name: String, _ labels: String, _ histogram: LatencyHistogram, atOnce: UInt64 = 0
    ) -> String {
        var text = ""
        var count = atOnce
        for bucket in 0...LatencyHistogram.boundCount {
            count += histogram.count(in: bucket)
            let bound = LatencyHistogram.bound(of: bucket).map(seconds) ?? "+Inf"
            text += "millrace_\(name)_bucket{\(labels),le=\"\(bound)\"} \(count)\n"
        }
        text += "millrace_\(name)_sum{\(labels)} \(seconds(histogram.nanosecondsSum))\n"
        return text + "millrace_\(name)_count{\(labels)} \(count)\n"
    }

    static func samples(
        _ name: String, _ labels: String, _ histogram: MagnitudeHistogram
    ) -> String {
        var text = ""
        var count: UInt64 = 0
        for bucket in 0...MagnitudeHistogram.boundCount {
            count += histogram.count(in: bucket)
            let bound = histogram.bound(of: bucket).map { "\($0)" } ?? "+Inf"
            text += "millrace_\(name)_bucket{\(labels),le=\"\(bound)\"} \(count)\n"
        }
        text += "millrace_\(name)_sum{\(labels)} \(histogram.sum)\n"
        return text + "millrace_\(name)_count{\(labels)} \(count)\n"
    }
}
