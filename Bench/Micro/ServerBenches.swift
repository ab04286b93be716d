// Requests through the whole front and store, on a played kernel.

import Catalog
import Cryptography
import Signatures

extension Microbench {
    static let server: [Microbench] = [cachedGet, durablePut]

    private static let cachedGet = Microbench(
        "get-cached-1k", "GET of 1 KiB from the hot cache, 64 connections, played kernel",
        counted: 6_400
    ) { _ in
        // Not asked for what is in the hot cache, but before.
        let server = try PlayedServer(MemoryCatalog(instance: PlayedServer.instance))
        let writing = try PutRequests(bodyCount: 1_024)
        let objects = writing.next(PlayedServer.clientCount)
        server.serve(PlayedServer.clientCount, of: objects.batch, status: 201)
        var gets = RequestBatch()
        for path in objects.paths {
            gets.append(Array("GET \(path) HTTP/1.1\r\n\(PutRequests.fields)\r\n".utf8))
        }
        // The first of each reads the disk.
        server.serve(PlayedServer.clientCount, of: gets, status: 200)
        let batch = gets
        return Work { count in server.serve(count, of: batch, status: 200) }
    }

    private static let durablePut = Microbench(
        "put-durable-4k", "signed PUT of 4 KiB, new names, 64 connections, played kernel",
        counted: 6_400, max: 1_024
    ) { _ in
        let server = try PlayedServer(ForgetfulCatalog(instance: PlayedServer.instance))
        let requests = try PutRequests(bodyCount: 4_096)
        var batch = RequestBatch()
        return Work(
            prepare: { batch = requests.next($0).batch },
            run: { count in server.serve(count, of: batch, status: 201) })
    }
}

/// Signed uploads, each under a name of its own.
private final class PutRequests {
    static let fields = "Host: 127.0.0.1\r\nUser-Agent: millrace-bench\r\n"

    private let authenticator: Owned<MessageAuthenticator>
    private let body: [UInt8]
    private var number = 0

    init(bodyCount: Int) throws {
        let secret = PlayedServer.secret
        authenticator = Owned(try MessageAuthenticator(key: secret.span))
        body = (0..<bodyCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    }

    func next(_ count: Int) -> (batch: RequestBatch, paths: [String]) {
        var batch = RequestBatch()
        var paths: [String] = []
        for _ in 0..<count {
            number += 1
            let name = "put-4k/\(number & 0xff)/\(1_000_000_000_000_000 + number)"
            paths.append("/" + name)
            batch.append(Array(head(name).utf8) + body)
        }
        return (batch, paths)
    }

    private func head(_ name: String) -> String {
        var digits = ""
        authenticator.change { authenticator in
            let path = Array(name.utf8)
            let tag = SignatureScheme.v.tag(
                path: path.span, size: UInt64(body.count), type: path.span, &authenticator)
            digits = tag.hexadecimal
        }
        return "PUT /\(name)?v=\(digits) HTTP/1.1\r\n\(PutRequests.fields)"
            + "Content-Length: \(body.count)\r\n\r\n"
    }
}
