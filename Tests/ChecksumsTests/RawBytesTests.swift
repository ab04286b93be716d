// Integers and pieces in and out of raw bytes, little-endian and unaligned.

import Testing

@testable import Checksums

@Suite struct `Raw bytes` {
    @Test func `hold little-endian integers at any offset`() {
        var bytes = [UInt8](repeating: 0xee, count: 13)
        edit(&bytes) { raw in
            raw.put(UInt64(0x0102_0304_0506_0708), at: 3)
            raw.put(UInt16(0xabcd), at: 11)
        }
        #expect(bytes == [0xee, 0xee, 0xee, 8, 7, 6, 5, 4, 3, 2, 1, 0xcd, 0xab])
        #expect(bytes.span.rawBytes.integer(at: 3, as: UInt64.self) == 0x0102_0304_0506_0708)
        #expect(bytes.span.rawBytes.integer(at: 4, as: UInt32.self) == 0x0405_0607)
        #expect(bytes.span.rawBytes.octets[12] == 0xab)
    }

    @Test func `take copies and zeros inside of their bounds`() {
        var bytes = [UInt8](repeating: 1, count: 8)
        let source: [UInt8] = [7, 8, 9]
        edit(&bytes) { raw in
            raw.put(source.span.rawBytes, at: 5)
            raw.put(RawSpan(), at: 8)
            raw.zero(1..<3)
            raw.zero(8..<8)
        }
        #expect(bytes == [1, 0, 0, 1, 1, 7, 8, 9])
    }

    @Test func `trap on a load past the end`() async {
        await #expect(processExitsWith: .failure) {
            let bytes = [UInt8](repeating: 1, count: 8)
            _ = bytes.span.rawBytes.integer(at: 1, as: UInt64.self)
        }
    }

    @Test func `trap on a copy past the end`() async {
        await #expect(processExitsWith: .failure) {
            var bytes = [UInt8](repeating: 1, count: 8)
            let source: [UInt8] = [7, 8, 9]
            edit(&bytes) { $0.put(source.span.rawBytes, at: 6) }
        }
    }

    @Test func `trap on zeros past the end`() async {
        await #expect(processExitsWith: .failure) {
            var bytes = [UInt8](repeating: 1, count: 8)
            edit(&bytes) { $0.zero(6..<9) }
        }
    }
}

private func edit(_ bytes: inout [UInt8], _ body: (inout MutableRawSpan) -> Void) {
    var span = bytes.mutableSpan
    var raw = span.mutableRawBytes
    body(&raw)
}
