// Goal:   with the switch on, text is sent as it lies beside itself when coded, whole and in parts,
//         and never for what is gone, newer or no text; with it off, nothing is looked up.
// Method: a store with an object and its codings; each request from the disk and again.

import Catalog
import IO
import Simulator
import Testing

@testable import Server

@Suite struct `A precompressed object` {
    private func run(_ isOn: Bool = true, _ body: (StoredBed) throws -> Void) throws {
        var settings = StoredBed.settings
        settings.sendsPrecompressed = isOn
        try StoredBed.run(
            SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance), settings: settings
        ) { bed in
            try body(bed)
            try bed.expectNothingLeft("at the end")
        }
    }

    private func ask(
        _ bed: StoredBed, _ name: String, _ fields: String..., method: String = "GET"
    ) -> Response? {
        let lines = fields.map { $0 + "\r\n" }.joined()
        return bed.exchange("\(method) /\(name) HTTP/1.1\r\nHost: h\r\n\(lines)\r\n").answer
    }

    private func put(_ bed: StoredBed, _ name: String, _ count: Int, _ seed: UInt64) throws {
        #expect(try bed.put(name, noise(count, seed: seed)) == 201)
    }

    /// Small ones, large ones, and small beside large.
    @Test(arguments: [(1000, 400), (400_000, 90_000), (100_000, 20_000)])
    func `is sent to who accepts it`(whole: Int, coded: Int) throws {
        try run { bed in
            try put(bed, "app.js", whole, 1)
            try put(bed, "app.js.gz", coded, 2)
            try put(bed, "app.js.br", coded - 10, 3)
            for _ in 0..<2 {
                let brotli = try #require(ask(bed, "app.js", "Accept-Encoding: gzip, br"))
                #expect(brotli.status == 200 && brotli.body == noise(coded - 10, seed: 3))
                #expect(brotli.field("content-encoding") == "br")
                #expect(brotli.field("vary") == "accept-encoding")
                #expect(brotli.field("content-type")?.contains("javascript") == true)
                let gzip = try #require(ask(bed, "app.js", "Accept-Encoding: gzip, br;q=0.1"))
                #expect(gzip.body == noise(coded, seed: 2))
                #expect(gzip.field("content-encoding") == "gzip")
                let plain = try #require(ask(bed, "app.js"))
                #expect(plain.body == noise(whole, seed: 1))
                #expect(plain.field("content-encoding") == nil)
                #expect(plain.field("vary") == "accept-encoding")
                let tags = [brotli, gzip, plain].compactMap { $0.field("etag") }
                #expect(Set(tags).count == 3)
                let other = ask(bed, "app.js", "Accept-Encoding: zstd, identity;q=0.5")
                #expect(other?.body == plain.body)
                // By its own name it is what it is.
                let own = ask(bed, "app.js.br", "Accept-Encoding: br")
                #expect(own?.body == brotli.body && own?.field("content-encoding") == nil)
            }
        }
    }

    @Test func `has ranges, conditions and HEAD of its own`() throws {
        try run { bed in
            try put(bed, "a.txt", 5000, 1)
            try put(bed, "a.txt.zst", 2000, 2)
            let accepts = "Accept-Encoding: zstd"
            let coded = noise(2000, seed: 2)
            let part = ask(bed, "a.txt", accepts, "Range: bytes=100-1099")
            #expect(part?.status == 206 && part?.body == Array(coded[100...1099]))
            #expect(part?.field("content-range") == "bytes 100-1099/2000")
            #expect(part?.field("content-encoding") == "zstd")
            let outside = ask(bed, "a.txt", accepts, "Range: bytes=3000-")
            #expect(outside?.status == 416)
            #expect(ask(bed, "a.txt", "Range: bytes=3000-")?.status == 206)
            let tag = try #require(ask(bed, "a.txt", accepts)?.field("etag"))
            let same = ask(bed, "a.txt", accepts, "If-None-Match: \(tag)")
            #expect(same?.status == 304 && same?.field("vary") == "accept-encoding")
            #expect(ask(bed, "a.txt", "If-None-Match: \(tag)")?.status == 200)
            let get = try #require(ask(bed, "a.txt", accepts))
            let client = bed.front.connect()
            client.send("HEAD /a.txt HTTP/1.1\r\nHost: h\r\n\(accepts)\r\n\r\n")
            bed.front.settle()
            for name in ["etag", "content-encoding", "vary", "content-type", "content-length"] {
                let field = try #require(get.field(name))
                #expect(client.text.lowercased().contains("\(name): \(field)\r\n"))
            }
            bed.leave(client)
        }
    }

    @Test func `is not sent for what is gone, or was replaced`() throws {
        try run { bed in
            let accepts = "Accept-Encoding: br"
            try put(bed, "a.css", 3000, 1)
            try put(bed, "a.css.br", 1000, 2)
            #expect(ask(bed, "a.css", accepts)?.body.count == 1000)
            #expect(bed.delete("a.css") == 204)
            #expect(ask(bed, "a.css", accepts)?.status == 404)
            bed.front.pass(seconds: 2)
            try put(bed, "a.css", 4000, 3)
            let newer = ask(bed, "a.css", accepts)
            #expect(newer?.body == noise(4000, seed: 3))
            #expect(bed.delete("a.css.br") == 204)
            #expect(ask(bed, "a.css", accepts)?.body == noise(4000, seed: 3))
        }
    }

    @Test func `is not sent for what is no text, nor an empty one for anything`() throws {
        try run { bed in
            let accepts = "Accept-Encoding: br, gzip"
            try put(bed, "a.png", 3000, 1)
            try put(bed, "a.png.br", 1000, 2)
            for _ in 0..<2 {
                let image = ask(bed, "a.png", accepts)
                #expect(image?.body == noise(3000, seed: 1) && image?.field("vary") == nil)
            }
            #expect(bed.front.on { $0.counters.cacheHits } == 1)
            try put(bed, "b.txt", 3000, 1)
            try put(bed, "b.txt.br", 0, 2)
            try put(bed, "b.txt.gz", 900, 3)
            #expect(ask(bed, "b.txt", accepts)?.field("content-encoding") == "gzip")
        }
    }

    @Test func `is an object like any other with the switch off`() throws {
        try run(false) { bed in
            try put(bed, "a.txt", 3000, 1)
            try put(bed, "a.txt.br", 1000, 2)
            for _ in 0..<2 {
                let plain = ask(bed, "a.txt", "Accept-Encoding: br")
                #expect(plain?.body == noise(3000, seed: 1))
                #expect(plain?.field("vary") == nil && plain?.field("content-encoding") == nil)
            }
            #expect(bed.front.on { $0.counters.cacheHits } == 1)
        }
    }

    @Test func `that cannot be read is an error that says so, and pins nothing`() throws {
        for number in 1...3 {
            try run { bed in
                try put(bed, "a.txt", 3000, 1)
                try put(bed, "a.txt.br", 1000, 2)
                bed.front.plan.strike(.read, number: number, with: .error(.io))
                let answer = ask(bed, "a.txt", "Accept-Encoding: br")
                #expect(answer?.status == (bed.front.plan.hasStruck ? 500 : 200))
                bed.front.plan.disarm()
                #expect(bed.delete("a.txt") == 204 && bed.delete("a.txt.br") == 204)
            }
        }
    }
}

@Suite struct `Without ranges` {
    @Test(arguments: [1000, 300_000]) func `a download is whole`(count: Int) throws {
        var settings = StoredBed.settings
        settings.sendsRanges = false
        try StoredBed.run(
            SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance), settings: settings
        ) { bed in
            try bed.put("a", noise(count, seed: 1))
            for _ in 0..<3 {
                for range in ["bytes=0-9", "bytes=-5", "bytes=900000-"] {
                    let answer = bed.exchange(
                        "GET /a HTTP/1.1\r\nHost: h\r\nRange: \(range)\r\n\r\n"
                    ).answer
                    #expect(answer?.status == 200 && answer?.body.count == count)
                    #expect(answer?.field("accept-ranges") == "none")
                }
            }
            #expect(bed.front.on { $0.counters.rangeRequests } == 0)
        }
    }
}
