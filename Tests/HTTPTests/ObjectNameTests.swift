// Names that come by other ways than a path are held to the same rules as paths.

import HTTP
import Testing

@Suite struct `An object's name` {
    private func fault(_ name: [UInt8]) -> ObjectName.Fault? {
        do throws(ObjectName.Fault) {
            try ObjectName.validate(name.span, limits: Limits())
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "a", "a/b", "ü/ß", "a%b", "a//b", "/a", "a/", "", ".", "..", "a/./b", ".a", "a/.b", "a\\b",
        "a\u{1}", "a\u{7f}", "a b?#", String(repeating: "x", count: 255),
        String(repeating: "x", count: 256),
        String(repeating: "xxx/", count: 119) + "xxxx",
        String(repeating: "xxx/", count: 119) + "xxxxx",
    ])
    func `is what a request for its path would be`(name: String) {
        var target = Array("/".utf8)
        // The slashes stay; what is behind a percent sign is the server's to read.
        for byte in name.utf8 {
            target += byte == UInt8(ascii: "%") ? Array("%25".utf8) : [byte]
        }
        var refusal: Refusal?
        var isEmpty = false
        do throws(Refusal) {
            isEmpty = try RequestPath.decode(
                target.span, base: [UInt8(ascii: "/")].span, limits: Limits()
            ).name.isEmpty
        } catch {
            refusal = error
        }
        if isEmpty { refusal = .emptySegment }
        #expect(fault(Array(name.utf8)) == refusal.map { .refused($0) })
    }

    @Test func `is UTF-8`() {
        #expect(fault([0x61, 0xff]) == .refused(.invalidUnicode))
        #expect(fault([0x61, 0xc3]) == .refused(.invalidUnicode))
        #expect(fault([0xc3, 0x2f, 0x61]) == .refused(.invalidUnicode))
    }

    @Test(arguments: ReservedSegment.allCases)
    func `does not begin with a segment of the server's own`(segment: ReservedSegment) {
        #expect(fault(Array(segment.text.utf8)) == .reserved(segment))
        let below = fault(Array((segment.text + "/a").utf8))
        // Below u are objects whose uploads named no path.
        #expect(below == (segment == .u ? nil : .reserved(segment)))
        #expect(fault(Array((segment.text + "x").utf8)) == nil)
        #expect(fault(Array(("a/" + segment.text).utf8)) == nil)
    }
}
