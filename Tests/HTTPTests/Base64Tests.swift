// Goal:   base64 has one text for every value when it should, and never more than the RFCs allow.
// Method: the vectors of RFC 4648 §10, faults by the dozen, and a property that needs no model:
//         what decodes canonically is exactly what its bytes encode to.

import HTTP
import Testing

private func decoded(_ text: String, _ rule: Base64.Rule = .canonical) throws -> [UInt8]? {
    var isDecoded = false
    let bytes = try written { (output) throws(Refusal) in
        isDecoded = Base64.decode(text.utf8.span, rule, into: &output)
    }
    #expect(isDecoded || bytes.isEmpty)
    #expect(Base64.decodedCount(text.utf8.span, rule) == (isDecoded ? bytes.count : nil))
    return isDecoded ? bytes : nil
}

private func encoded(_ bytes: [UInt8]) throws -> String {
    let text = try written { (output) throws(Refusal) in output.append(base64: bytes.span) }
    #expect(text.count == Base64.encodedCount(byteCount: bytes.count))
    return String(decoding: text, as: UTF8.self)
}

@Suite struct `Text in base64` {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{fb}\u{ff}", "w7vDvw=="),
        ("?>~", "Pz5+"), ("???", "Pz8/"),
    ])
    func `is written and read`(plain: String, text: String) throws {
        #expect(try encoded(Array(plain.utf8)) == text)
        #expect(try decoded(text) == Array(plain.utf8))
        #expect(try decoded(text, .lenient) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "=", "==", "====", "Zm9v=", "Zm9v==", "Zm9v====",
        "Zm9vY", " Zg==", "Zg== ", "Z g==", "Zg=\n=", "Z===", "Zg==Zg==", "Zm=8", "Zm-_",
        "Zm9\u{e9}",
        "Zh==", "Zm9=", "Z\u{0}==", "Zm9@", "Zm9[", "Zm9`", "Zm9{", "Zm9:", "Zm9.", "Zm9,",
    ])
    func `is read by its one rule`(text: String) throws {
        #expect(try decoded(text) == nil)
    }

    @Test(arguments: [
        ("Zg", "f"), ("Zm8", "fo"), ("Zh==", "f"), ("Zh", "f"), ("Zm9=", "fo"), ("Zm9vYg", "foob"),
    ])
    func `of a structured field may lack its padding`(text: String, plain: String) throws {
        #expect(try decoded(text, .lenient) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zm8==", "=", "Zm9v=", "Zm9vY", "Zm=8", " Zg", "Zm-_"])
    func `of a structured field may not be anything`(text: String) throws {
        #expect(try decoded(text, .lenient) == nil)
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `stands for one value, and that for it`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let characters = Array("AZaz09+/=Qgw".unicodeScalars)
        for _ in 0..<400 {
            let count = Int.random(in: 0...12, using: &generator)
            var text = ""
            for _ in 0..<count {
                text.unicodeScalars.append(characters.randomElement(using: &generator)!)
            }
            if let bytes = try decoded(text) { #expect(try encoded(bytes) == text) }
            let random = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(try decoded(try encoded(random)) == random)
        }
    }

    @Test func `needs room for every byte`() throws {
        let bytes = try written(capacity: 5) { (output) throws(Refusal) in
            #expect(Base64.decode("Zm9v".utf8.span, into: &output))
            #expect(!Base64.decode("Zm9v".utf8.span, into: &output))
            #expect(Base64.decode("Zm8=".utf8.span, into: &output))
        }
        #expect(bytes == Array("foofo".utf8))
    }
}
