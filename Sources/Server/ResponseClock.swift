/// The start of nearly every answer, kept ready and renewed once a second: status line and Date.

import HTTP

struct ResponseClock {
    private(set) var seconds: UInt64 = 0
    /// `HTTP/1.1 200 OK` and the Date field, with their line ends.
    private(set) var okHead: [UInt8] = []

    mutating func refresh(_ now: UInt64) {
        guard now != seconds || okHead.isEmpty else { return }
        seconds = now
        okHead = [UInt8](capacity: 128) { output in
            output.appendStatusLine(.ok)
            output.appendField("Date", date: Int64(now))
        }
    }
}
