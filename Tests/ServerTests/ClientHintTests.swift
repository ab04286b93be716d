// Goal:   what clients say of their links counts where nothing was measured; nothing absurd does.
// Method: a store whose kernel the test plays; classes, counts and remarks are looked at.

import Engine
import Testing

@testable import Server

@Suite struct `Client hints` {
    @Test func `are asked for where uploads begin`() throws {
        try withLinks { bed, _ in
            let wanted = "save-data, ect, rtt, downlink"
            for target in ["/x", "*", "/files", "/upload", "/u/x"] {
                let answer = bed.exchange("OPTIONS \(target) HTTP/1.1\r\nHost: h\r\n\r\n").answer
                #expect(answer?.field("accept-ch") == wanted, "\(target)")
            }
            let tus = bed.ask(
                "POST", "/files", ["Tus-Resumable: 1.0.0", "Upload-Length: 1000"], [])
            #expect(tus?.status == 201 && tus?.field("accept-ch") == wanted)
            let ietf = bed.ask("POST", "/files", ["Upload-Complete: ?0"], [1, 2])
            #expect(ietf?.status == 201 && ietf?.field("accept-ch") == wanted)
            try bed.put("page.html", [1])
            for _ in 0..<2 {
                let page = bed.exchange("GET /page.html HTTP/1.1\r\nHost: h\r\n\r\n").answer
                #expect(page?.field("accept-ch") == nil)
            }
        }
    }

    @Test func `that are absurd are counted by request, and told once`() throws {
        try withLinks { bed, remarks in
            for value in ["-1", "NaN", "1e300", ""] {
                let fields = ["Upload-Complete: ?0", "Downlink: \(value)", "RTT: \(value)"]
                #expect(bed.ask("POST", "/files", fields, [1])?.status == 201)
            }
            #expect(bed.links.hintsIgnored == 4)
            #expect(remarks.all.count == 1)
            #expect(bed.page().contains("millrace_client_hints_ignored_total{core=\"0\"} 4\n"))
        }
    }

    @Test func `are not believed against what was measured`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            try bed.put(client, "large", noise(1 << 20, seed: 1))
            for _ in 0..<3 {
                bed.front.pass(seconds: 11)
                #expect(bed.get(client, "large")?.status == 200)
            }
            #expect(bed.front.on { $0.linkClass(0) } == .lan)
            for fields in ["RTT: 300\r\nDownlink: 1\r\n", "ECT: 2g\r\n", ""] {
                bed.front.pass(seconds: 11)
                #expect(bed.get(client, "large", fields)?.status == 200)
                #expect(bed.front.on { $0.linkClass(0) } == .lan)
            }
            #expect(bed.links.changes(to: .mobile) == 0)
            bed.leave(client)
        }
    }

    @Test func `that come with a whole upload are read once`() throws {
        try withLinks { bed, _ in
            let fields = ["Upload-Complete: ?1", "Downlink: -1"]
            #expect(bed.ask("POST", "/files", fields, noise(300_000, seed: 1))?.status == 201)
            #expect(bed.links.hintsIgnored == 1)
        }
    }

    @Test func `give a class before anything was measured`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            client.send(
                bed.head(
                    "POST", "/files",
                    ["Upload-Complete: ?0", "ECT: 3g", "RTT: 100", "Downlink: 1.5"], length: 1))
            client.send([1])
            bed.front.settle()
            #expect(client.finalResponse?.status == 201)
            #expect(bed.front.on { $0.linkClass(0) } == .mobile)
            #expect(bed.links.changes(to: .mobile) == 1)
            bed.leave(client)
        }
    }
}
