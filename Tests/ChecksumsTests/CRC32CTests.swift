// Goal:   every way to compute CRC32C gives the number that the definition gives.
// Method: the bit-by-bit definition is written out here; prefixes give every length cheaply, and
//         offsets into one buffer every alignment.

import Testing

@testable import Checksums

@Suite struct `CRC32C` {
    static let bytes: [UInt8] = {
        var state: UInt64 = 42
        return (0..<70_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }()

    /// RFC 3720, appendix B.4, and the field's check value.
    @Test(arguments: CRC32CMethod.allCases)
    func `gives the published values`(method: CRC32CMethod) {
        guard usable(method) else { return }
        let readCommand: [UInt8] =
            [0x01, 0xc0] + zeros(14) + [0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18]
            + [0x28] + zeros(7) + [0x02] + zeros(7)
        let vectors: [(bytes: [UInt8], checksum: UInt32)] = [
            (zeros(32), 0x8a91_36aa),
            (Array(repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e),
            (Array((0..<32).reversed()), 0x113f_db5c),
            (readCommand, 0xd996_3a56),
            (Array("123456789".utf8), 0xe306_9283),
            ([], 0),
        ]
        for vector in vectors {
            #expect(method.checksum(vector.bytes.span.rawBytes) == vector.checksum)
        }
    }

    @Test(arguments: CRC32CMethod.allCases)
    func `is its definition at every length and alignment`(method: CRC32CMethod) {
        guard usable(method) else { return }
        var differences = 0
        for alignment in 0..<16 {
            var state: UInt32 = 0
            for count in 0...300 {
                let part = Self.bytes.span.rawBytes.extracting(alignment..<alignment + count)
                if method.checksum(part) != state { differences += 1 }
                state = defined(state, Self.bytes[alignment + count])
            }
        }
        #expect(differences == 0)
    }

    @Test(arguments: CRC32CMethod.allCases)
    func `is its definition around the stripes' ends`(method: CRC32CMethod) {
        guard usable(method) else { return }
        let stripes = [240, 480, 512, 768, 1024, 4080, 4096, 8160, 65_520, 65_536]
        let counts = Set(stripes.flatMap { $0 - 9...$0 + 9 })
        var state: UInt32 = 0
        var differences = 0
        for count in 0...65_545 {
            if counts.contains(count) {
                let part = Self.bytes.span.rawBytes.extracting(first: count)
                if method.checksum(part) != state { differences += 1 }
            }
            state = defined(state, Self.bytes[count])
        }
        #expect(differences == 0)
    }

    @Test(arguments: [0, 1, 7, 8, 239, 240, 241, 4096, 65_536])
    func `continues where it stopped`(cut: Int) {
        let whole = Self.bytes.span.rawBytes
        let first = crc32c(whole.extracting(first: cut))
        let both = crc32c(whole.extracting(droppingFirst: cut), continuing: first)
        #expect(both == crc32c(whole))
    }

    @Test(arguments: [0, 1, 2, 3, 100, 4095, 4096, 4097, 65_536, 69_999, 70_000])
    func `of two parts combines to that of both`(cut: Int) {
        let whole = Self.bytes.span.rawBytes
        let first = crc32c(whole.extracting(first: cut))
        let second = crc32c(whole.extracting(droppingFirst: cut))
        let count = UInt64(whole.byteCount - cut)
        #expect(combineCRC32C(first, second, secondByteCount: count) == crc32c(whole))
    }

    /// Zeros by squaring: 2^40 of them, as 40 doublings of one.
    @Test func `combines runs far beyond what is in memory`() {
        var run = crc32c([UInt8(0)].span.rawBytes)
        for exponent in 0..<40 {
            run = combineCRC32C(run, run, secondByteCount: 1 << UInt64(exponent))
        }
        let halves = combineCRC32C(0, run, secondByteCount: 1 << 40)
        #expect(halves == run)
        let shorter = combineCRC32C(run, 0, secondByteCount: 0)
        #expect(shorter == run)
        var one = run
        for _ in 0..<3 {
            one = crc32c([UInt8(0)].span.rawBytes, continuing: one)
        }
        let three = crc32c(zeros(3).span.rawBytes)
        #expect(combineCRC32C(run, three, secondByteCount: 3) == one)
    }

    @Test(arguments: [1, 7, 4096], [0, 1, 6, 7, 8, 4095, 4096, 4097, 9000, 70_000])
    func `of units combines to that of all`(unit: Int, count: Int) {
        let whole = Self.bytes.span.rawBytes.extracting(first: count)
        let units = stride(from: 0, to: count, by: unit).map {
            crc32c(whole.extracting($0..<min(count, $0 + unit)))
        }
        let combined = combineCRC32C(
            units: units.span, unitByteCount: UInt64(unit), byteCount: UInt64(count))
        #expect(combined == crc32c(whole))
    }

    @Test func `traps on units that are not as many as there are`() async {
        await #expect(processExitsWith: .failure) {
            _ = combineCRC32C(units: [1, 2].span, unitByteCount: 10, byteCount: 21)
        }
        await #expect(processExitsWith: .failure) {
            _ = combineCRC32C(units: [1].span, unitByteCount: 0, byteCount: 0)
        }
    }

    @Test func `traps on a run of impossible length`() async {
        await #expect(processExitsWith: .failure) {
            _ = combineCRC32C(1, 1, secondByteCount: 1 << 61)
        }
    }

    private func usable(_ method: CRC32CMethod) -> Bool {
        if !method.isAvailable { print("SKIPPED: this processor has no CRC32C by \(method)") }
        return method.isAvailable
    }

    private func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }

    private func defined(_ previous: UInt32, _ byte: UInt8) -> UInt32 {
        var state = ~previous ^ UInt32(byte)
        for _ in 0..<8 { state = (state >> 1) ^ (state & 1 == 0 ? 0 : 0x82f6_3b78) }
        return ~state
    }
}
