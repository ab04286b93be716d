import Cryptography
import Testing

/// Tags, their digits, their comparison; and random bytes.
@Suite struct `A message tag` {
    private let tag = MessageTag(InlineArray { UInt8($0 * 7) })

    // Spans cannot stand in an expectation.
    private func read(_ digits: [UInt8]) -> MessageTag? { MessageTag(hexadecimal: digits.span) }
    private func load(_ bytes: [UInt8]) -> MessageTag? { MessageTag(bytes: bytes.span) }

    @Test func `comes back from its digits in either case`() {
        let digits = tag.hexadecimal
        #expect(digits.utf8.count == 64)
        #expect(digits.hasPrefix("00070e15"))
        #expect(read(Array(digits.utf8)) == tag)
        #expect(read(Array(digits.uppercased().utf8)) == tag)
    }

    @Test func `comes back from its bytes, and from no other number of them`() {
        let bytes = (0..<33).map { UInt8($0 * 7) }
        #expect(load(Array(bytes[..<32])) == tag)
        #expect(load(Array(bytes[..<31])) == nil)
        #expect(load(bytes) == nil)
    }

    @Test func `is not read from anything but 64 digits`() {
        let digits = Array(tag.hexadecimal.utf8)
        #expect(read(Array(digits.dropLast())) == nil)
        #expect(read(digits + digits[..<2]) == nil)
        for index in digits.indices {
            var wrong = digits
            wrong[index] = UInt8(ascii: "g")
            #expect(read(wrong) == nil)
        }
        for byte in UInt8.min...UInt8.max {
            var other = digits
            other[7] = byte
            #expect((read(other) != nil) == Character(UnicodeScalar(byte)).isHexDigit)
        }
    }

    @Test func `differs from one that differs in any bit`() {
        for bit in 0..<256 {
            var bytes = tag.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(MessageTag(bytes) != tag)
        }
    }
}

@Suite struct `Comparing in constant time` {
    @Test func `agrees with comparing`() {
        let samples: [[UInt8]] = [[], [1], [1, 2], [1, 2, 3], [1, 2, 4], [0, 2, 3]]
        for left in samples {
            for right in samples {
                let areEqual = constantTimeEquals(left.span, right.span)
                #expect(areEqual == (left == right))
            }
        }
    }
}

@Suite struct `Hexadecimal digits` {
    private func read(_ digits: [UInt8]) -> [UInt8]? { Hexadecimal.bytes(digits.span) }

    @Test func `stand for every byte`() throws {
        let bytes = Array(UInt8.min...UInt8.max)
        let digits = Hexadecimal.string(bytes.span)
        #expect(digits.hasPrefix("000102"))
        #expect(digits.hasSuffix("fdfeff"))
        #expect(read(Array(digits.utf8)) == bytes)
        let appended = [UInt8](capacity: 512) { target in
            Hexadecimal.append(bytes.span, to: &target)
        }
        #expect(appended == Array(digits.utf8))
    }

    @Test(arguments: ["0", "0g", "g0", "0/", "0:", "0@", "0`", "0G", "012"])
    func `are refused when they are none`(_ digits: String) {
        #expect(read(Array(digits.utf8)) == nil)
    }
}

@Suite struct `Random bytes` {
    @Test func `come in the number asked for, and never twice`() {
        #expect(Randomness.bytes(0).isEmpty)
        #expect(Randomness.bytes(32).count == 32)
        #expect(Randomness.bytes(32) != Randomness.bytes(32))
        #expect(Randomness.integer() != Randomness.integer())
    }
}
