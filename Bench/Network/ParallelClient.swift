/// A client that uploads numbered chunks over several connections at once, over a link that does
/// not break.

import BenchMachine
import Dispatch
import Foundation
import Synchronization

public struct ParallelOutcome: Equatable, Sendable {
    public var seconds: Double
    public var connections: Int
    /// As the server said when it began.
    public var advised: Int
    public var chunkBytes: Int
    /// Where the upload is.
    public var path: String
}

public final class ParallelClient: Sendable {
    private struct State {
        var next = 0
        var failure: LabFailure?
    }

    private let server: LabServer
    private let network: NetworkNamespace?
    private let body: [UInt8]
    private let state = Mutex(State())

    public init(_ body: [UInt8], to server: LabServer, from network: NetworkNamespace?) {
        (self.server, self.network, self.body) = (server, network, body)
    }

    /// Uploads everything over `connections`, or over as many as the server advises.
    public func upload(over connections: Int?) throws(LabFailure) -> ParallelOutcome {
        let start = Clocks.now()
        let line = try LabLine(to: server, from: network)
        let begin = ["X-Filename: lab.bin", "X-Total-Size: \(body.count)"]
        let created = try line.ask("POST", "/chunked-upload", begin, [])
        let path = try ChunkingClient.location(created, "POST /chunked-upload")
        guard let length = ChunkingClient.chunkSize(created),
            let advised = ChunkingClient.number("parallel_chunks", in: created),
            let id = path.split(separator: "/").last
        else { throw .refused(created.status, of: "POST /chunked-upload", created.text) }
        state.withLock { $0 = State() }
        let ended = DispatchSemaphore(value: 0)
        let count = connections ?? advised
        for _ in 1..<count {
            Thread.detachNewThread { [self] in
                send(nil, String(id), length)
                ended.signal()
            }
        }
        send(line, String(id), length)
        for _ in 1..<count { ended.wait() }
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return ParallelOutcome(
            seconds: Double(Clocks.now() - start) / 1e9, connections: count, advised: advised,
            chunkBytes: length, path: path)
    }

    /// Sends chunks that nobody else sends, one after the other, until there are none. Nil: over a
    /// connection of its own.
    private func send(_ line: LabLine?, _ id: String, _ length: Int) {
        do throws(LabFailure) {
            let line = if let line { line } else { try LabLine(to: server, from: network) }
            while let number = nextNumber(length) {
                let start = number * length
                let content = body[start..<min(body.count, start + length)]
                let fields = ["X-Upload-Session-ID: \(id)", "X-Chunk-Number: \(number)"]
                let answer = try line.ask("PUT", "/chunked-upload", fields, content)
                guard answer.status == 200 else {
                    throw .refused(answer.status, of: "chunk \(number)", answer.text)
                }
            }
        } catch {
            state.withLock { $0.failure = $0.failure ?? error }
        }
    }

    /// Nil: there is no more to be begun.
    private func nextNumber(_ length: Int) -> Int? {
        let bytes = body.count
        return state.withLock { state in
            guard state.failure == nil, state.next * length < bytes else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }
}
