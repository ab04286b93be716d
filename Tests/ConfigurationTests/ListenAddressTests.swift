// Addresses and CPU lists: what is taken, what is not, and that both print as they read.

import Testing

@testable import Configuration

@Suite struct `A listen address` {
    @Test func `of IPv4 is four numbers and a port`() {
        let address = ListenAddress("192.168.1.200:65535")
        #expect(address == ListenAddress(host: .v4(0xc0a8_01c8), port: 65535))
    }

    @Test(
        arguments: [
            ("[::]:0", 0, 0), ("[::1]:8080", 0, 1), ("[1::]:80", 1 << 48, 0),
            ("[2001:db8::8:800:200c:417a]:80", 0x2001_0db8_0000_0000, 0x0008_0800_200c_417a),
            ("[1:2:3:4:5:6:7:8]:80", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008),
            ("[::ffff:1.2.3.4]:80", 0, 0xffff_0102_0304),
            ("[1:2:3:4:5:6:1.2.3.4]:80", 0x0001_0002_0003_0004, 0x0005_0006_0102_0304),
            ("[FE80::A]:80", 0xfe80_0000_0000_0000, 0xa), ("[1::8]:80", 1 << 48, 8),
        ] as [(String, UInt64, UInt64)])
    func `of IPv6 stands in brackets`(text: String, high: UInt64, low: UInt64) {
        #expect(ListenAddress(text)?.host == .v6(high: high, low: low))
    }

    @Test(arguments: [
        "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1:080", "127.0.0.1: 80", "127.0.0:80", "127.0.0.0.1:80", "256.0.0.1:80",
        "127.0.0.01:80", "127.0.0.:80", "localhost:80", "::1:80", "[::1]80", "[]:80", "[:]:80",
        "[:::]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[1::2::3]:80", "[12345::]:80",
        "[1:2:3:4::5:6:7:8]:80", "[::g]:80", "[::+1]:80", "[::1.2.3]:80", "[1.2.3.4::]:80",
        "[fe80::1%eth0]:80", "[127.0.0.1]:80", "[:1:2:3:4:5:6:7:8]:80", "[::1]:80 ",
    ])
    func `is refused in any other form`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    /// The forms of RFC 5952 §4.
    @Test(arguments: [
        ("127.0.0.1:0", "127.0.0.1:0"), ("[0:0:0:0:0:0:0:0]:1", "[::]:1"), ("[::1]:1", "[::1]:1"),
        ("[2001:DB8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"),
        ("[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"),
        ("[1:0:0:2:0:0:0:3]:1", "[1:0:0:2::3]:1"), ("[1::]:1", "[1::]:1"),
        ("[0:0:1:2:3:4:5:6]:1", "[::1:2:3:4:5:6]:1"),
    ])
    func `prints in its shortest form`(text: String, expected: String) {
        #expect(ListenAddress(text)?.description == expected)
        #expect(ListenAddress(expected) == ListenAddress(text))
    }

    @Test func `is announced in the words that scripts wait for`() {
        let address = ListenAddress.loopback(port: 4711)
        #expect(listeningMessage(address) == "listening on http://127.0.0.1:4711")
        #expect(!metricsMessage(address).contains("listening on"))
    }
}

@Suite struct `A list of cores` {
    @Test(arguments: [
        ("0", [0]), ("0,1", [0, 1]), ("0-3", [0, 1, 2, 3]), ("3,0-1, 7", [3, 0, 1, 7]),
        ("2-2", [2]), ("8191", [8191]),
    ])
    func `is numbers and ranges`(text: String, indices: [Int]) {
        #expect(CoreList(text)?.indices == indices)
    }

    @Test(arguments: [
        "", ",", "0,", "a", "-1", "3-1", "0-", "0-1-2", "0,0", "0-2,1", "8192", "0-8192", "+1",
        "0-99999999999999999999", "1.5",
    ])
    func `is refused in any other form`(text: String) {
        #expect(CoreList(text) == nil)
    }

    @Test func `is never empty`() { #expect(CoreList([]) == nil) }
}

@Suite struct `A capacity` {
    @Test func `as a share counts from what is there`() {
        #expect(Capacity.share(percent: 90).limit(available: 1000) == 900)
        #expect(Capacity.share(percent: 100).limit(available: Int.max) <= Int.max)
        #expect(Capacity.bytes(5).limit(available: 1000) == 5)
    }
}
