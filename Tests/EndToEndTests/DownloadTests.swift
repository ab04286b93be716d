// Goal:   what is asked for comes, to the byte: whole, by range, or not at all where a condition
//         says so.

import Foundation
import Testing

@Suite struct `A download` {
    /// Uploaded once for all of these tests.
    private static let large = Result { () -> (name: String, bytes: [UInt8]) in
        let (name, bytes) = (SharedServer.name("large"), pattern(10 << 20, seed: 10))
        let client = try SharedServer.client()
        guard try client.put(name, bytes).status == 201 else { throw Problem("not stored") }
        return (name, bytes)
    }

    @Test func `of any range is that range`() throws {
        let (name, bytes) = try `A download`.large.get()
        let client = try SharedServer.client()
        let size = bytes.count
        var ranges: [(Int, Int)] = [
            (0, 0), (0, size - 1), (size - 1, size - 1), (1, 1 << 20), (65_535, 65_536),
            (65_536, 131_071), ((1 << 20) - 1, 1 << 20), ((2 << 20) + 5, (2 << 20) + 5),
            (4095, 4096), (3 << 20, (7 << 20) + 12_345),
        ]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<60 {
            let first = Int.random(in: 0..<size, using: &generator)
            let longest = min(size - first, 1 << Int.random(in: 0...21, using: &generator))
            ranges.append((first, first + Int.random(in: 0..<longest, using: &generator)))
        }
        for (first, last) in ranges {
            let get = try client.get(name, "Range: bytes=\(first)-\(last)")
            #expect(get.status == 206)
            #expect(get.fields["content-range"] == "bytes \(first)-\(last)/\(size)")
            #expect(get.body == Array(bytes[first...last]), "\(first)-\(last)")
        }
    }

    @Test func `by open ranges and suffixes`() throws {
        let (name, bytes) = try `A download`.large.get()
        let client = try SharedServer.client()
        let size = bytes.count
        #expect(try client.get(name, "Range: bytes=\(size - 10)-").body == Array(bytes.suffix(10)))
        #expect(try client.get(name, "Range: bytes=-7").body == Array(bytes.suffix(7)))
        let long = try client.get(name, "Range: bytes=\(size - 3)-\(size * 2)")
        #expect(long.fields["content-range"] == "bytes \(size - 3)-\(size - 1)/\(size)")
    }

    @Test func `by a range that is none is the whole, or 416`() throws {
        let client = try SharedServer.client()
        for count in [1000, 100_000] {
            let (name, bytes) = (SharedServer.name(), pattern(count, seed: 11))
            #expect(try client.put(name, bytes).status == 201)
            for range in ["bytes=x", "pages=1-2", "bytes=5-2", "bytes=", "bytes=0-1,3-4"] {
                let get = try client.get(name, "Range: \(range)")
                #expect(get.status == 200, "\(range)")
                #expect(get.body == bytes)
            }
            for range in ["bytes=\(count)-", "bytes=-0", "bytes=\(count + 5)-\(count + 6)"] {
                let get = try client.get(name, "Range: \(range)")
                #expect(get.status == 416)
                #expect(get.fields["content-range"] == "bytes */\(count)")
            }
            // The connection is where it should be after each of them.
            #expect(try client.get(name).body == bytes)
        }
    }

    @Test(arguments: [1000, 300_000])
    func `obeys conditions`(count: Int) throws {
        let client = try SharedServer.client()
        let (name, bytes) = (SharedServer.name(), pattern(count, seed: 12))
        #expect(try client.put(name, bytes).status == 201)
        // The second round is answered from the cache where there is one.
        for _ in 0..<2 {
            let first = try client.get(name)
            let tag = try #require(first.fields["etag"])
            let modified = try #require(first.fields["last-modified"])
            let old = "Thu, 01 Jan 1970 00:00:01 GMT"
            let cases: [(String, Int)] = [
                ("If-None-Match: \(tag)", 304), ("If-None-Match: W/\(tag)", 304),
                ("If-None-Match: *", 304), ("If-None-Match: \"x\"", 200),
                ("If-Match: \(tag)", 200), ("If-Match: \"x\"", 412), ("If-Match: *", 200),
                ("If-Modified-Since: \(modified)", 304), ("If-Modified-Since: \(old)", 200),
                ("If-Unmodified-Since: \(modified)", 200), ("If-Unmodified-Since: \(old)", 412),
            ]
            for (field, status) in cases {
                let get = try client.get(name, field)
                #expect(get.status == status, "\(field)")
                if status == 200 { #expect(get.body == bytes) }
                if status == 304 { #expect(get.fields["etag"] == tag) }
            }
            let part = try client.get(name, "Range: bytes=1-2", "If-Range: \(tag)")
            #expect(part.status == 206)
            let whole = try client.get(name, "Range: bytes=1-2", "If-Range: \"x\"")
            #expect(whole.status == 200)
            let dated = try client.get(name, "Range: bytes=1-2", "If-Range: \(modified)")
            #expect(dated.status == 206)
        }
        let absent = try client.get(SharedServer.name(), "If-Match: *")
        #expect(absent.status == 412)
    }

    @Test func `by HEAD has the fields of GET and no content`() throws {
        let client = try SharedServer.client()
        for count in [0, 10, 70_000] {
            let name = SharedServer.name() + ".svg"
            #expect(try client.put(name, pattern(count, seed: 13)).status == 201)
            for _ in 0..<2 {
                let head = try client.exchange("HEAD", "/\(name)")
                var get = try client.get(name).fields
                var fields = head.fields
                (get["date"], fields["date"]) = (nil, nil)
                #expect(fields == get)
                #expect(fields["content-type"] == "image/svg+xml")
                #expect(fields["content-length"] == "\(count)")
                #expect(fields["accept-ranges"] == "bytes")
            }
            let failed = try client.exchange("HEAD", "/\(name)", fields: ["If-Match: \"x\""])
            #expect(failed.status == 412)
        }
        #expect(try client.exchange("HEAD", "/" + SharedServer.name()).status == 404)
        #expect(try client.exchange("HEAD", "/health").status == 200)
        #expect(try client.get("health").text == "alive\n")
    }

    @Test func `of many at once on one connection comes in order`() throws {
        let client = try SharedServer.client()
        let sizes = [10, 30_000, 65_536, 0, 100_000, 1000, 16_000]
        let names = sizes.map { _ in SharedServer.name() }
        for (name, size) in zip(names, sizes) {
            #expect(try client.put(name, pattern(size, seed: size)).status == 201)
        }
        // Twice: what comes from the disk first comes from the cache then.
        for _ in 0..<3 {
            var requests = ""
            for _ in 0..<10 {
                for name in names { requests += "GET /\(name) HTTP/1.1\r\nHost: h\r\n\r\n" }
            }
            try client.send(requests)
            for _ in 0..<10 {
                for size in sizes {
                    #expect(try client.response().body == pattern(size, seed: size))
                }
            }
        }
    }

    @Test func `of a name with an escape is of that name`() throws {
        let client = try SharedServer.client()
        let name = SharedServer.name()
        // The object a%41 and the object aA.
        #expect(
            try client.exchange(
                "PUT", Signing.v(name + "a%41", 3).replacing("%41", with: "%2541"), body: [1, 2, 3]
            ).status == 201)
        for _ in 0..<2 {
            #expect(try client.get(name + "a%2541").body == [1, 2, 3])
            #expect(try client.get(name + "a%41").status == 404)
        }
        #expect(try client.put(name + "aA", [4]).status == 201)
        for spelling in ["aA", "a%41", "%61A"] {
            #expect(try client.get(name + spelling).body == [4])
        }
    }

    @Test func `knows which methods there are`() throws {
        let client = try SharedServer.client()
        for method in ["POST", "TRACE"] {
            let answer = try client.exchange(method, "/x", body: [])
            #expect(answer.status == 405)
            #expect(answer.fields["allow"]?.contains("PUT") == true)
        }
        // Without an unfinished upload there is nothing to append to.
        #expect(try client.exchange("PATCH", "/x", body: []).status == 404)
        #expect(try client.exchange("POST", "/health", body: []).fields["allow"] == "GET, HEAD")
        let options = try client.exchange("OPTIONS", "*")
        #expect(options.status == 204)
        #expect(options.fields["allow"]?.contains("DELETE") == true)
        #expect(try client.get("nothing/here").status == 404)
        #expect(try client.get("health").status == 200)
    }
}

@Suite struct `An operator` {
    private func list(_ client: RawClient, _ query: String) throws -> [String: Any] {
        let answer = try client.get(
            "admin/objects?" + query, "Authorization: Bearer \(RunningServer.adminToken)")
        guard answer.status == 200 else { throw Problem("\(answer.status): \(answer.text)") }
        #expect(answer.fields["content-type"] == "application/json")
        let document = try JSONSerialization.jsonObject(with: Data(answer.body))
        return document as? [String: Any] ?? [:]
    }

    @Test func `lists objects page by page`() throws {
        let client = try SharedServer.client()
        let prefix = SharedServer.name("list")
        let names = (0..<25).map { prefix + "/\($0 < 10 ? "0" : "")\($0) \"quoted\" ü" }
        for (size, name) in names.enumerated() {
            let target = Signing.v(name, size)
            let escaped = try #require(
                name.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed))
            let put = try client.exchange(
                "PUT", target.replacing(name, with: escaped), body: pattern(size, seed: 1))
            #expect(put.status == 201)
        }
        var found: [(String, Int)] = []
        var after: String?
        repeat {
            var query = "prefix=\(prefix)&limit=7"
            if let place = after?.addingPercentEncoding(withAllowedCharacters: .alphanumerics) {
                query += "&after=" + place
            }
            let page = try list(client, query)
            let objects = page["objects"] as? [[String: Any]] ?? []
            #expect(objects.count <= 7)
            for object in objects {
                found.append((object["path"] as? String ?? "", object["size"] as? Int ?? -1))
                #expect((object["modified"] as? Int ?? 0) > 1_600_000_000)
            }
            after = page["next"] as? String
        } while after != nil
        #expect(found.map(\.0) == names)
        #expect(found.map(\.1) == Array(0..<25))
    }

    @Test func `is asked for a token, and for sense`() throws {
        let client = try SharedServer.client()
        let none = try client.get("admin/objects")
        #expect(none.status == 401)
        #expect(none.fields["www-authenticate"] == "Bearer")
        #expect(try client.get("admin/objects", "Authorization: Bearer x").status == 403)
        #expect(try client.get("admin/objects", "Authorization: Basic eDp5").status == 403)
        let token = "Authorization: Bearer \(RunningServer.adminToken)"
        for query in ["limit=0", "limit=x", "limit=1001", "what=1", "limit=1&limit=2", "after=%zz"]
        {
            #expect(try client.get("admin/objects?" + query, token).status == 400, "\(query)")
        }
        #expect(try client.get("admin/nothing", token).status == 404)
        #expect(try client.exchange("POST", "/admin/objects", fields: [token]).status == 405)
    }

    @Test func `deletes objects, and a name may be used again`() throws {
        let client = try SharedServer.client()
        for count in [0, 100, 200_000] {
            let name = SharedServer.name()
            for seed in 0..<3 {
                #expect(try client.put(name, pattern(count, seed: seed)).status == 201)
                let tag = try client.get(name).fields["etag"]
                #expect(try client.get(name).body == pattern(count, seed: seed))
                #expect(try client.exchange("DELETE", "/\(name)").status == 401)
                let wrong = ["Authorization: Bearer wrong"]
                #expect(try client.exchange("DELETE", "/\(name)", fields: wrong).status == 403)
                #expect(try client.delete(name).status == 204)
                #expect(try client.get(name).status == 404)
                #expect(try client.delete(name).status == 404)
                #expect(try client.get(name, "If-None-Match: \(tag ?? "")").status == 404)
            }
        }
    }

    @Test func `reads metrics on their own listener only`() throws {
        let server = try SharedServer.get()
        #expect(try server.metric("connections") > 0)
        let client = try SharedServer.client()
        #expect(try client.get("metrics").status == 404)
        let metrics = try RawClient(server.metricsPort)
        #expect(try metrics.get("health").text == "alive\n")
        #expect(try metrics.get("ready").text == "ready\n")
        #expect(try metrics.get("anything").status == 404)
        #expect(try metrics.exchange("POST", "/metrics", body: []).status == 405)
    }
}
