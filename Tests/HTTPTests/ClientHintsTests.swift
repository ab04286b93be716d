// Goal:   a client's hints are what the drafts say they can be, or nothing.
// Method: tables of good and absurd values, each hint alone and repeated.

import Testing

@testable import HTTP

@Suite struct `A client's hints` {
    private func hints(_ fields: String...) -> ClientHints {
        let parsed = Parsed(
            "GET / HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        return ClientHints(parsed.head, in: parsed.bytes.span)
    }

    @Test func `are read`() {
        let all = hints("Save-Data: on", "ECT: slow-2g", "RTT: 1450", "Downlink: 0.384")
        #expect(all.savesData && all.connectionType == .slow2G)
        #expect(all.roundTripMilliseconds == 1450 && all.downlinkBitsPerSecond == 384_000)
        #expect(!all.hasAbsurd)
        #expect(hints() == ClientHints())
        let others = hints("Rtx: 5", "Ect-X: 4g", "DPR: 2")
        #expect(others == ClientHints())
    }

    @Test(arguments: [
        ("0", 0), ("10", 10_000_000), ("1.5", 1_500_000), ("0.05", 50_000), ("0.001", 1000),
        ("100000", 100_000_000_000), ("100000.000", 100_000_000_000),
    ])
    func `tell a rate`(text: String, bits: UInt64) {
        let read = hints("downlink: \(text)")
        #expect(read.downlinkBitsPerSecond == bits && !read.hasAbsurd)
    }

    @Test(arguments: [
        "", "-1", "NaN", "nan", "1e300", "1e3", "inf", ".5", "5.", "1.0001", "1,5", "+5", "0x10",
        "100000.001", "100001", "99999999999999999999999", "1 Mbit", "5;q=1", "\"5\"",
    ])
    func `of absurd rates are none`(text: String) {
        let read = hints("Downlink: \(text)")
        #expect(read.downlinkBitsPerSecond == nil && read.hasAbsurd)
    }

    @Test(arguments: [
        "", "-1", "NaN", "1e300", "1.5", "60001", "18446744073709551616", "50ms", "+1",
    ])
    func `of absurd round trips are none`(text: String) {
        let read = hints("RTT: \(text)")
        #expect(read.roundTripMilliseconds == nil && read.hasAbsurd)
        #expect(hints("RTT: 60000").roundTripMilliseconds == 60_000)
        #expect(hints("RTT: 0").roundTripMilliseconds == 0)
    }

    @Test func `know no other connections and no other wish`() {
        for text in ["", "5g", "4G+", "slow_2g", "wifi"] {
            let read = hints("ECT: \(text)")
            #expect(read.connectionType == nil && read.hasAbsurd)
        }
        for type in ClientHints.ConnectionType.allCases {
            #expect(hints("ect: \(type.rawValue.uppercased())").connectionType == type)
        }
        for text in ["", "off", "1", "?1", "on, on"] {
            let read = hints("Save-Data: \(text)")
            #expect(!read.savesData && read.hasAbsurd)
        }
    }

    @Test func `that are repeated are none`() {
        let read = hints(
            "ECT: 4g", "RTT: 50", "ECT: 4g", "Save-Data: on", "Downlink: 3", "rtt: x",
            "Downlink: 3")
        #expect(read.connectionType == nil && read.roundTripMilliseconds == nil)
        #expect(read.downlinkBitsPerSecond == nil && read.savesData)
        #expect(read.hasAbsurd)
        #expect(hints("Save-Data: on", "Save-Data: on").savesData == false)
    }
}
