// Goal:   an object that came back wrong in any byte, or as another object, is noticed.

import BenchMeasure
import Testing

@Suite struct `A body` {
    private let pattern = BodyPattern(seed: 5)

    @Test func `is the same each time it is made`() {
        var filled = [UInt8](repeating: 0, count: 4096)
        fill(&filled, number: 9)
        #expect(filled == pattern.bytes(4096, number: 9))
        let isMatched = pattern.matches(filled.span, number: 9)
        #expect(isMatched)
    }

    @Test func `differs for every object and every seed`() {
        let bodies = (0..<64).map { pattern.bytes(64, number: $0) }
        #expect(Set(bodies).count == 64)
        #expect(BodyPattern(seed: 6).bytes(64, number: 0) != bodies[0])
        let other = bodies[1]
        let isMatched = pattern.matches(other.span, number: 0)
        #expect(!isMatched)
    }

    @Test func `does not match with any one byte changed`() {
        let body = pattern.bytes(128, number: 3)
        for index in body.indices {
            var wrong = body
            wrong[index] ^= 0x10
            let isMatched = pattern.matches(wrong.span, number: 3)
            #expect(!isMatched, "byte \(index)")
        }
    }

    private func fill(_ bytes: inout [UInt8], number: UInt64) {
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        pattern.fill(&raw, number: number)
    }
}

@Suite struct `Object names` {
    private let names = ObjectNames(folder: "put4k")

    @Test func `spread over folders by their last byte`() {
        #expect(names.path(0x1_23ab) == "/put4k/ab/00000000000123ab")
        #expect(names.folder(of: 0x1_23ab) == "/put4k/ab")
        #expect(names.path(0).utf8.count == names.pathCount)
    }

    @Test func `are as many as there are numbers`() {
        let paths = Set((0..<1_000).map { names.path($0) })
        #expect(paths.count == 1_000)
    }
}
