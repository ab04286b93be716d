/// The parts `tuning` and `parallel` of the lab.

import BenchMachine
import BenchMeasure
import BenchNetwork

extension LabBench {
    // MARK: Tuning

    /// Every way to tune once, in an order that turns around from round to round.
    func round(_ round: Int, _ row: LabLink, into run: inout TuningRun) throws {
        let all = TuningVariant.allCases
        for variant in round.isMultiple(of: 2) ? all : all.reversed() {
            let transfers = try transfers(round, row, variant)
            run.add(transfers, row, variant)
            let seconds = transfers.map { Digits.fixed($0.seconds, 2) }.joined(separator: ", ")
            say("\(row.name) \(variant.rawValue) \(round + 1): up, then down: \(seconds) s")
        }
    }

    /// One client uploads, then downloads that again and again over one connection.
    private func transfers(
        _ round: Int, _ row: LabLink, _ variant: TuningVariant
    ) throws -> [TuningTransfer] {
        let link = try link(row)
        return try withServer(variant.configuration, link) { server in
            let body = body(row, number: UInt64(round))
            link.relay.restart(row.character, seed: SplitMix64.mix(UInt64(round) &+ 1))
            var before = try SegmentCounts(of: link.server)
            func counts() throws -> SegmentCounts {
                let now = try SegmentCounts(of: link.server)
                defer { before = now }
                return now.since(before)
            }
            let start = Clocks.now()
            var uploader = ChunkingClient(body, to: server, from: link.client)
            let uploaded = try uploader.upload(by: .tus)
            let seconds = Double(Clocks.now() - start) / 1e9
            let upload = TuningTransfer(
                round: round, number: nil, seconds: seconds, try counts(), probes: [])
            var transfers = [upload]
            let client = try DownloadingClient(body, from: server, to: link.client)
            for number in 0..<options.visits {
                let (seconds, probes) = try client.download(uploaded.path)
                transfers.append(
                    TuningTransfer(
                        round: round, number: number, seconds: seconds, try counts(),
                        probes: probes))
            }
            return transfers
        }
    }

    // MARK: Side by side

    /// Every number of connections once, in an order that turns around from round to round.
    func round(_ round: Int, _ row: LabLink, into run: inout ParallelRun) throws {
        let all = ParallelVariant.allCases
        for variant in round.isMultiple(of: 2) ? all : all.reversed() {
            let upload = try upload(round, row, variant)
            run.add(upload, row, variant)
            say(
                "\(row.name) \(variant.rawValue) \(round + 1): \(Digits.fixed(upload.seconds, 2)) s"
                    + " over \(upload.connections), advised \(upload.advised)")
        }
    }

    /// To a server that knows the client's network by two earlier uploads, over one connection.
    private func upload(
        _ round: Int, _ row: LabLink, _ variant: ParallelVariant
    ) throws -> ParallelUpload {
        let link = try link(row)
        let limit = row.chunkBytesMax.map { "\($0 >> 10)KiB" }
        let line = limit.map { "performance.max_chunk_size = \"\($0)\"\n" }
        return try withServer(line ?? "", link) { server in
            link.relay.restart(row.character, seed: SplitMix64.mix(UInt64(round) &+ 1))
            for number in 1...2 {
                let body = body(row, number: UInt64(1000 * number + round))
                let known = Array(body.prefix(row.fileBytes / 4))
                _ = try ParallelClient(known, to: server, from: link.client).upload(over: 1)
            }
            let body = body(row, number: UInt64(round))
            let connections: Int? =
                switch variant {
                case .one: 1
                case .advised: nil
                case .eight: 8
                }
            let client = ParallelClient(body, to: server, from: link.client)
            let outcome = try client.upload(over: connections)
            try ChunkingClient(body, to: server, from: link.server).compare(outcome.path)
            return ParallelUpload(
                round: round, seconds: outcome.seconds, connections: outcome.connections,
                advised: outcome.advised, chunkBytes: outcome.chunkBytes)
        }
    }
}
