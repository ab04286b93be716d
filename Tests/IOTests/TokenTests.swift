// Goal:   what goes down to the kernel in 64 bits comes up as the same token, or traps.

import Testing

@testable import IO

@Suite struct `A token` {
    private static let kinds = (UInt8.min...UInt8.max).compactMap { Token.Kind(rawValue: $0) }

    @Test func `comes back from its 64 bits, for every kind and every edge`() {
        #expect(!Self.kinds.isEmpty)
        for kind in Self.kinds {
            for generation in [0, 1, 0xabcdef, Token.generationMax] {
                for slot in [0, 1, 0x8000_0000, UInt32.max] {
                    let token = Token(kind, generation: generation, slot: slot)
                    #expect(Token(packed: token.packed) == token)
                }
            }
        }
    }

    @Test func `keeps its fields apart`() {
        let token = Token(.waiter, generation: 0xabcdef, slot: 0x1234_5678)
        #expect(token.packed == 0x01ab_cdef_1234_5678)
    }

    @Test func `is never zero, which is what a forgotten token would be`() {
        #expect(Token.Kind(rawValue: 0) == nil)
    }

    @Test func `of no known kind traps`() async {
        await #expect(processExitsWith: .failure) { _ = Token(packed: 0) }
        await #expect(processExitsWith: .failure) { _ = Token(packed: .max) }
    }

    @Test func `with a generation that does not fit traps`() async {
        await #expect(processExitsWith: .failure) {
            _ = Token(.waiter, generation: Token.generationMax + 1)
        }
    }
}

@Suite struct `A kernel error` {
    @Test func `is a negative result and no other`() {
        #expect(KernelError(result: -9) == .badDescriptor)
        #expect(KernelError(result: 0) == nil)
        #expect(KernelError(result: 4096) == nil)
    }
}

@Suite struct `A name's hash` {
    private func hash(_ text: String, key: UInt64) -> UInt64 {
        let bytes = Array(text.utf8)
        return NameHash(key: key)(bytes.span)
    }

    @Test func `depends on every byte, the length and the key`() {
        let names = ["", "\0", "\0\0", "a", "b", "ab", "ba", "12345678", "123456780", "1234567 8"]
        var seen = Set<UInt64>()
        for name in names {
            for key: UInt64 in [0x9e37_79b9_7f4a_7c15, 0x243f_6a88_85a3_08d3, 1 << 63] {
                seen.insert(hash(name, key: key))
            }
            #expect(hash(name, key: 7) == hash(name, key: 7))
        }
        #expect(seen.count == names.count * 3)
    }
}
