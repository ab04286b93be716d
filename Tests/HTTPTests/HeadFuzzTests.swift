// Goal:   no bytes make the parser trap, point outside the head, or change its mind when more come.
// Method: seeded mutations of good heads, spliced with the bytes that mean something in HTTP. A
//         failure prints the seed.

import HTTP
import Testing

@Suite struct `Mutated heads` {
    private static let originals = [
        "PUT /upload/a%20b.jpg?v2=00ff HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\n\r\n",
        "GET http://a/b?c HTTP/1.0\r\nConnection: keep-alive\r\nRange: bytes=0-1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nIf-Modified-Since: x\r\nIf-None-Match: *\r\n\r\n",
    ].map { Array($0.utf8) }

    private static let fragments = [
        "\r", "\n", "\r\n", "\r\n\r\n", ":", " ", "\t", "\u{0}", "%", "?", "#", "HTTP/1.1",
        "\u{7f}",
        "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "chunked", ",",
        "http://", "1", "9999999999999999999",
    ].map { Array($0.utf8) }

    @Test(arguments: 0..<64 as Range<UInt64>)
    func `never trap and never change their outcome`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var completeCount = 0
        for _ in 0..<300 {
            let bytes = mutated(&generator)
            let whole = Parsed(bytes)
            if let byteCount = whole.byteCount {
                completeCount += 1
                checkHead(whole, byteCount)
            }
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            checkPrefix(Parsed(Array(bytes[..<cut])), of: whole)
            checkArrival(bytes, whole, &generator)
        }
        #expect(completeCount > 0, "the mutations are too harsh to test anything")
    }

    private func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = `Mutated heads`.originals.randomElement(using: &generator)!
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: position)
            case 2:
                let fragment = `Mutated heads`.fragments.randomElement(using: &generator)!
                bytes.insert(contentsOf: fragment, at: position)
            default:
                let end = Int.random(in: position...bytes.count, using: &generator)
                bytes.append(contentsOf: bytes[position..<end])
            }
        }
        return bytes
    }

    /// What holds for every complete head: it ends in an empty line, all slices are in it, and its
    /// fields can be walked.
    private func checkHead(_ whole: Parsed, _ byteCount: Int) {
        #expect(whole.bytes[..<byteCount].suffix(4) == Array("\r\n\r\n".utf8)[...])
        #expect(whole.head.fields.range.upperBound == byteCount - 2)
        #expect(
            whole.head.target.range.contains(whole.head.path.range.lowerBound)
                || whole.head.path.count == 0)
        #expect(!(whole.head.isChunked && whole.head.contentLength != nil))
        #expect(whole.head.host.isPresent || whole.head.minorVersion == 0)
        var cursor = FieldCursor(whole.head)
        var lineCount = 0
        while let field = cursor.next(in: whole.bytes.span) {
            lineCount += 1
            #expect(field.name.count > 0)
            let line = whole.bytes[field.name.range.lowerBound..<field.value.range.upperBound]
            #expect(!line.contains(0x0a) && !line.contains(0x0d) && !line.contains(0))
        }
        #expect(whole.bytes[whole.head.fields.range].count { $0 == 0x0a } == lineCount)
    }

    private func checkPrefix(_ prefix: Parsed, of whole: Parsed) {
        if prefix.outcome == .incomplete { return }
        #expect(prefix.outcome == whole.outcome)
        if whole.byteCount != nil { #expect(prefix.description == whole.description) }
    }

    /// In random pieces, a complete head is complete in the piece that ends it.
    private func checkArrival(
        _ bytes: [UInt8], _ whole: Parsed, _ generator: inout SeededGenerator
    ) {
        var head = RequestHead()
        var seenCount = 0
        while seenCount < bytes.count {
            let count = Int.random(in: seenCount + 1...bytes.count, using: &generator)
            let outcome = HeadParser.parse(
                bytes.span.extracting(0..<count), seenCount: seenCount, into: &head,
                limits: Limits())
            if outcome != .incomplete {
                #expect(outcome == whole.outcome)
                return
            }
            #expect(whole.byteCount.map { count < $0 } ?? true)
            seenCount = count
        }
    }
}
