// Goal:   an answer that gives back what its client sent has room for that, also where so little
//         memory is left that an answer gets no more than a head takes.
// Method: the front and the store on a kernel that the test plays; its memory taken by the test.

import Foundation
import IO
import Testing

@testable import Server

@Suite struct `An answer with a long field` {
    /// Runs `body` while the front has memory for small answers only.
    private func whileShort<Value>(
        _ bed: StoredBed, _ body: () throws -> Value
    ) rethrows -> Value {
        let held = bed.front.on { core in
            var held: [Region] = []
            while core.front.bytesFree > Core.outputSize, let lease = core.front.lease(8 << 10) {
                held.append(lease.detach())
            }
            return held
        }
        defer {
            bed.front.on { core in for region in held { core.giveBackFront(region) } }
        }
        return try body()
    }

    @Test func `tells an upload's metadata`() throws {
        try withDigestBed { bed in
            let tus = "Tus-Resumable: 1.0.0"
            let value = Data(noise(2700, seed: 1)).base64EncodedString()
            let created = bed.ask(
                "POST", "/files", [tus, "Upload-Length: 5", "Upload-Metadata: x \(value)"], [])
            let location = try #require(created?.field("location"))
            let told = try whileShort(bed) {
                try #require(bed.ask("HEAD", location, [tus]))
            }
            #expect(told.status == 200)
            #expect(told.field("upload-metadata") == "x \(value)".lowercased())
        }
    }

    @Test func `tells where an upload goes on, as it was asked for`() throws {
        try withDigestBed { bed in
            let head = try bed.signed("a", 100_000)
            let parts = head.split(separator: " ", maxSplits: 2)
            let target = "\(parts[1])&x=" + String(repeating: "y", count: 5000)
            let request =
                "PUT \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                + "Upload-Length: 100000\r\nUpload-Complete: ?0\r\n"
                + "Upload-Draft-Interop-Version: 8\r\n\r\n"
            let client = bed.front.connect()
            let answers = whileShort(bed) {
                client.send(request + "abc")
                bed.front.settle()
                for _ in 0..<5 { bed.front.pass(seconds: 1) }
                return client.responses
            }
            #expect(answers.map(\.status) == [104, 201])
            for answer in answers { #expect(answer.field("location") == target.lowercased()) }
            client.endSending()
            bed.front.settle()
        }
    }
}
