// Goal:   dates as RFC 9110 §5.6.7 writes them, exact over the years that matter.
// Method: round trips from 1970 to 2100, fixed points from the RFC and the calendar's edges.

import HTTP
import Testing

private func text(_ seconds: Int64) throws -> String {
    let bytes = try written { (output) throws(Refusal) in HTTPDate.append(seconds, to: &output) }
    return String(decoding: bytes, as: UTF8.self)
}

private let now: Int64 = 1_780_000_000  // 2026-05-28

@Suite struct `A date` {
    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (HTTPDate.secondsMax, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func `is written and read`(seconds: Int64, expected: String) throws {
        #expect(try text(seconds) == expected)
        #expect(expected.utf8.count == HTTPDate.byteCount)
        #expect(HTTPDate.parse(expected.utf8.span, now: now) == seconds)
    }

    @Test func `beyond four digits is written as the nearest`() throws {
        #expect(try text(-1) == text(0))
        #expect(try text(Int64.min) == text(0))
        #expect(try text(Int64.max) == text(HTTPDate.secondsMax))
    }

    @Test func `comes back from every day until 2101`() throws {
        var day: Int64 = 0
        while day * 86_400 < 4_133_980_800 {
            let seconds = day * 86_400 + day * 7919 % 86_400
            #expect(HTTPDate.parse(try text(seconds).utf8.span, now: now) == seconds)
            day += 1
        }
        #expect(day == 47_847)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994", "Wednesday, 06-Nov-94 08:49:37 GMT",
        "Mon, 06 Nov 1994 08:49:37 GMT",
    ])
    func `is read in all three formats`(text: String) {
        #expect(HTTPDate.parse(text.utf8.span, now: now) == 784_111_777)
    }

    @Test(arguments: [
        (94, 1994), (77, 1977), (76, 2076), (26, 2026), (0, 2000), (99, 1999),
    ])
    func `with two digits of a year is at most fifty years ahead`(short: Int, year: Int) {
        let digits = short < 10 ? "0\(short)" : "\(short)"
        let parsed = HTTPDate.parse("Monday, 01-Mar-\(digits) 00:00:00 GMT".utf8.span, now: now)
        let expected = HTTPDate.parse("Mon, 01 Mar \(year) 00:00:00 GMT".utf8.span, now: now)
        #expect(parsed != nil && parsed == expected)
    }

    @Test func `with a leap second is the next minute`() {
        let parsed = HTTPDate.parse("Sat, 31 Dec 2016 23:59:60 GMT".utf8.span, now: now)
        #expect(parsed == HTTPDate.parse("Sun, 01 Jan 2017 00:00:00 GMT".utf8.span, now: now))
    }

    @Test func `before 1970 is negative`() {
        #expect(HTTPDate.parse("Wed, 31 Dec 1969 23:59:59 GMT".utf8.span, now: now) == -1)
        let first = HTTPDate.parse("Sat, 01 Jan 0000 00:00:00 GMT".utf8.span, now: now)
        #expect(first == -62_167_219_200)
    }

    @Test(arguments: [
        "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT!!",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT", "Sun, 29 Feb 2100 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT",
        "Someday, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 31-Feb-94 08:49:37 GMT", "Sun Nov 6 08:49:37 1994 ", "Sun Nov   6 08:49:37 1994",
        "Sun Nov  6 08:49:37 19944", "Sun Nov 31 08:49:37 1994", "784111777784111777784111777",
        "1994-11-06T08:49:37Z00000", "Sun, 06 Nov 1994 08:49:37 GM\u{0}",
    ])
    func `is nothing else`(text: String) {
        #expect(HTTPDate.parse(text.utf8.span, now: now) == nil)
    }
}
