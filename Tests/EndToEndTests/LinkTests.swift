// Goal:   on real sockets, uploads and downloads have an estimate and a class: loopback is a LAN,
//         and what is behind a token bucket has the bucket's rate.
// Method: the metrics page of a server; for the bucket, server and client in a network namespace of
//         their own, whose loopback device sends no faster than the bucket lets.

import Foundation
import Testing

private struct Page {
    let text: String

    init(_ server: RunningServer) throws {
        text = try RawClient(server.metricsPort).get("metrics").text
    }

    init(_ text: String) { self.text = text }

    /// The sample of that name and label set.
    subscript(_ sample: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix("millrace_\(sample) ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }
}

@Suite struct `Links` {
    @Test func `over loopback are a LAN, both ways`() throws {
        let server = try RunningServer()
        let client = try RawClient(server.port)
        let bytes = pattern(24 << 20, seed: 40)
        #expect(try client.put("large", bytes).status == 201)
        // By O_DIRECT, then through the page cache.
        for _ in 0..<3 { #expect(try client.get("large").body == bytes) }
        // The end of a transfer is told when its last bytes are read already.
        var page = try Page(server)
        _ = try eventually {
            page = try Page(server)
            return page["network_speed_bytes_per_second{class=\"lan\",direction=\"download\"}"]
                != nil
        }
        for direction in ["upload", "download"] {
            let labels = "{class=\"lan\",direction=\"\(direction)\"}"
            let speed = try #require(page["network_speed_bytes_per_second" + labels])
            // No machine is slower, and none faster.
            #expect(speed > 10e6 && speed < 1e12, "\(direction): \(speed)")
            let latency = try #require(page["network_latency_seconds" + labels])
            #expect(latency > 0 && latency < 0.002)
            #expect(page["network_reliability_ratio" + labels] == 1)
        }
        #expect(page["link_class_changes_total{class=\"lan\"}"] == 1)
        // At both ends of each.
        #expect(page["link_samples_total{core=\"0\"}"] ?? 0 >= 8)
        #expect(page["link_sample_errors_total{core=\"0\"}"] == 0)
        #expect(server.stop() == 0)
    }

    @Test func `are nobody's business where an operator says so`() throws {
        var options = ServerOptions()
        options.limits = "[streaming]\nbandwidth_estimation = false\nrange_requests = false"
        let server = try RunningServer(options)
        let bytes = pattern(5 << 20, seed: 41)
        #expect(try server.put("large", bytes).status == 201)
        let get = try RawClient(server.port).get("large", "Range: bytes=0-9")
        #expect(get.status == 200 && get.body == bytes)
        #expect(get.fields["accept-ranges"] == "none")
        let page = try Page(server)
        #expect(page["link_samples_total{core=\"0\"}"] == 0)
        #expect(!page.text.contains("network_speed_bytes_per_second{"))
        #expect(server.stop() == 0)
    }

    @Test func `have no class, and text its coding, where an operator says so`() throws {
        var options = ServerOptions()
        options.limits =
            "[performance]\nconnection_type_detection = false\n[downloads]\nprecompressed = true"
            + "\n[streaming]\nquality_adaptation = false"
        let server = try RunningServer(options)
        let (whole, coded) = (pattern(5 << 20, seed: 43), pattern(300_000, seed: 44))
        #expect(try server.put("a.js", whole).status == 201)
        #expect(try server.put("a.js.zst", coded).status == 201)
        let client = try RawClient(server.port)
        #expect(try client.get("a.js").body == whole)
        let answer = try client.get("a.js", "Accept-Encoding: gzip, deflate, br, zstd")
        #expect(answer.body == coded && answer.fields["content-encoding"] == "zstd")
        #expect(answer.fields["vary"] == "Accept-Encoding")
        #expect(try client.exchange("OPTIONS", "/a.js").fields["accept-ch"] == nil)
        let page = try Page(server)
        #expect(page["link_samples_total{core=\"0\"}"] ?? 0 > 0)
        #expect(page["network_reliability_ratio{class=\"unknown\",direction=\"upload\"}"] == 1)
        #expect(page["link_class_changes_total{class=\"lan\"}"] == 0)
        #expect(server.stop() == 0)
    }

    /// 80 Mbit/s: 10 MB/s.
    @Test func `behind a token bucket have its rate`() throws {
        let scratch = try ScratchDirectory()
        let options = ServerOptions()
        let configuration = try scratch.write(
            Array(options.configuration(data: scratch.path + "/data").utf8), to: "c.toml")
        let body = try scratch.write(pattern(24 << 20, seed: 42), to: "body")
        let script = """
            ip link set lo mtu 1500 up && \\
            tc qdisc add dev lo root tbf rate 80mbit burst 32kb limit 256kb || exit 77
            "$0" serve --config "$1" --cores 0 --listen 127.0.0.1:8080 \\
                --metrics-listen 127.0.0.1:8081 > "$4" 2>&1 &
            for i in $(seq 300); do curl -fs http://127.0.0.1:8080/ready && break; sleep 0.1; done
            curl -sS --fail -T "$2" "http://127.0.0.1:8080$3" || exit 1
            name=${3%%\\?*}
            curl -sS -o /dev/null "http://127.0.0.1:8080$name" \\
                -o /dev/null "http://127.0.0.1:8080$name" || exit 1
            curl -sS http://127.0.0.1:8081/metrics
            kill $!
            wait $!
            """
        let (status, output) = try Programs.run(
            "unshare",
            [
                "-n", "sh", "-c", script, Programs.millrace, configuration, body,
                Signing.v("large", 24 << 20), scratch.path + "/log",
            ])
        if status == 77 || output.contains("unshare:") {
            print("SKIPPED: needs a network namespace with a token bucket: \(output)")
            return
        }
        #expect(status == 0, "\(output.suffix(500))")
        let page = Page(output)
        var rates: [String: [Double]] = [:]
        for direction in ["upload", "download"] {
            for linkClass in ["lan", "fibre", "broadband", "mobile", "unknown"] {
                let labels = "{class=\"\(linkClass)\",direction=\"\(direction)\"}"
                guard let rate = page["network_speed_bytes_per_second" + labels] else { continue }
                rates[direction, default: []].append(rate)
            }
        }
        for direction in ["upload", "download"] {
            let found = try #require(rates[direction], "nothing is known of \(direction)s")
            for rate in found { #expect(rate > 5e6 && rate < 20e6, "\(direction): \(rate)") }
        }
    }
}
