// Goal:   a client is known by its user or its network, never by its address, and never by chance.
// Method: addresses as the kernel writes them, whole and cut; texts there and back.

import Testing

@testable import Engine

/// As `struct sockaddr_in` and `sockaddr_in6` lie in memory.
private func socketAddress4(_ address: [UInt8]) -> [UInt8] {
    [2, 0, 0x1f, 0x90] + address + [UInt8](repeating: 0, count: 8)
}

private func socketAddress6(_ address: [UInt8]) -> [UInt8] {
    [10, 0, 0x1f, 0x90, 9, 9, 9, 9] + address + [1, 0, 0, 0]
}

private func text(_ key: ClientKey?) -> String? {
    key.map { String(decoding: $0.text, as: UTF8.self) }
}

@Suite struct `A client's key` {
    @Test func `is the first 24 bits of an IPv4 address`() {
        let key = ClientKey(socketAddress: socketAddress4([192, 0, 2, 17]).span)
        #expect(text(key) == "network:192.0.2.0/24")
        #expect(key == ClientKey(socketAddress: socketAddress4([192, 0, 2, 255]).span))
        #expect(key != ClientKey(socketAddress: socketAddress4([192, 0, 3, 17]).span))
    }

    @Test func `is the first 56 bits of an IPv6 address`() {
        let home: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0xaa, 0xbb] + [1, 2, 3, 4, 5, 6, 7, 8]
        let key = ClientKey(socketAddress: socketAddress6(home).span)
        #expect(text(key) == "network:2001:db8:0:aa00::/56")
        var other = home
        (other[7], other[15]) = (0, 0)
        #expect(key == ClientKey(socketAddress: socketAddress6(other).span))
        other[6] = 0xab
        #expect(key != ClientKey(socketAddress: socketAddress6(other).span))
    }

    @Test func `of an IPv4 address in IPv6's clothes is that of the IPv4 address`() {
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 17]
        #expect(
            text(ClientKey(socketAddress: socketAddress6(mapped).span)) == "network:192.0.2.0/24")
        let loopback = [UInt8](repeating: 0, count: 10) + [255, 255, 127, 0, 0, 1]
        #expect(ClientKey(socketAddress: socketAddress6(loopback).span) == nil)
    }

    @Test func `is none for this machine's own addresses`() {
        #expect(ClientKey(socketAddress: socketAddress4([127, 0, 0, 1]).span) == nil)
        #expect(ClientKey(socketAddress: socketAddress4([127, 8, 8, 8]).span) == nil)
        #expect(ClientKey(socketAddress: socketAddress4([0, 0, 0, 0]).span) == nil)
        let none = [UInt8](repeating: 0, count: 16)
        #expect(ClientKey(socketAddress: socketAddress6(none).span) == nil)
        #expect(ClientKey(socketAddress: socketAddress6(none.dropLast() + [1]).span) == nil)
        #expect(ClientKey(socketAddress: socketAddress6(none.dropLast() + [2]).span) != nil)
        // AF_UNIX, with a path.
        #expect(ClientKey(socketAddress: ([1, 0] + Array("/run/x".utf8)).span) == nil)
    }

    @Test func `is none where the address is cut short`() {
        let four = socketAddress4([192, 0, 2, 17])
        for count in 0..<8 {
            #expect(ClientKey(socketAddress: four.span.extracting(first: count)) == nil)
        }
        let six = socketAddress6([UInt8](repeating: 0x20, count: 16))
        for count in 0..<24 {
            #expect(ClientKey(socketAddress: six.span.extracting(first: count)) == nil)
        }
        #expect(ClientKey(socketAddress: six.span.extracting(first: 24)) != nil)
    }

    @Test func `of a user has the user's name, of a length that there is`() {
        #expect(text(ClientKey(user: Array("alice".utf8))) == "user:alice")
        #expect(ClientKey(user: []) == nil)
        #expect(ClientKey(user: [UInt8](repeating: 65, count: 64)) != nil)
        #expect(ClientKey(user: [UInt8](repeating: 65, count: 65)) == nil)
        #expect(ClientKey(user: [65])?.isUser == true)
        #expect(ClientKey(socketAddress: socketAddress4([9, 9, 9, 9]).span)?.isUser == false)
    }

    @Test func `comes back from its bytes and from its text`() {
        var keys = [ClientKey(user: Array("a b:c\u{fc}".utf8)), ClientKey(user: [0, 255])]
        for last in [0, 1, 9, 10, 99, 100, 255] as [UInt8] {
            keys.append(ClientKey(socketAddress: socketAddress4([last | 128, last, 7, 1]).span))
            let six = [0x20, last, 0, 0] + [UInt8](repeating: last, count: 12)
            keys.append(ClientKey(socketAddress: socketAddress6(six).span))
        }
        for key in keys {
            #expect(key != nil)
            guard let key else { continue }
            #expect(ClientKey(bytes: key.bytes) == key)
            #expect(ClientKey(text: key.text) == key)
            #expect(key.bytes.count <= ClientKey.bytesMax)
        }
    }

    @Test(arguments: [
        "", "alice", "user:", "network:", "network:192.0.2.0", "network:192.0.2.1/24",
        "network:192.0.2.0/25", "network:192.0.2.0.0/24", "network:192.0.02.0/24",
        "network:256.0.2.0/24", "network:2001:db8::/56", "network:2001:db8:0:aa01::/56",
        "network:2001:DB8:0:aa00::/56", "network:2001:db8:0:aa00::/64", "network:+1.0.2.0/24",
        "NETWORK:192.0.2.0/24",
    ])
    func `is none for a text that is not one's`(_ text: String) {
        #expect(ClientKey(text: Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            [], [0], [1], [4, 1, 1, 1], [2, 1, 1], [2, 1, 1, 1, 1], [3, 1, 1, 1],
            [1] + [UInt8](repeating: 1, count: 65),
        ] as [[UInt8]])
    func `is none for bytes that are not one's`(_ bytes: [UInt8]) {
        #expect(ClientKey(bytes: bytes) == nil)
    }
}
