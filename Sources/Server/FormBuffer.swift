/// One leased buffer of a form on its way in; decides where in it the next bytes go.
///
///     | the file's data | not read yet | free |
///     0              dataEnd         filled
///
/// Between a file's first byte and its last there is nothing but data, so that it stays where it
/// was received, and is written from there. Only what may be a boundary's start goes over into
/// the next buffer.

import IO

struct FormBuffer {
    /// Its lease, detached.
    let region: Region
    private let carryBytesMax: Int
    private let unitBytes: Int
    private(set) var dataEnd = 0
    private var readEnd = 0
    private(set) var filled = 0

    init(_ lease: consuming BufferLease, carryBytesMax: Int, unitBytes: Int) {
        region = lease.detach()
        self.carryBytesMax = carryBytesMax
        self.unitBytes = unitBytes
    }

    /// So much data is written at once: whole units.
    var writeBytes: Int {
        max((Int(region.count) - carryBytesMax) / unitBytes * unitBytes, unitBytes)
    }

    var isFull: Bool { dataEnd >= writeBytes }

    /// What the form's reader is to see next.
    var unread: Region { region.part(from: readEnd, count: filled - readEnd) }

    /// Where the next bytes go, at most `countMax` of them.
    func free(countMax: Int) -> Region {
        let limit = min(writeBytes + carryBytesMax, Int(region.count))
        return region.part(from: filled, count: min(countMax, limit - filled))
    }

    mutating func received(_ count: Int) { filled += count }

    mutating func read(_ count: Int) { readEnd += count }

    /// The same; it was the file's.
    mutating func readData(_ count: Int) {
        precondition(readEnd == dataEnd, "a file's data has no gaps")
        readEnd += count
        dataEnd = readEnd
    }

    /// What was read is to go: `unread` is to be moved to the front.
    mutating func dropRead() {
        precondition(dataEnd == 0, "data that nobody has written")
        filled -= readEnd
        readEnd = 0
    }

    /// Behind the data that is written now: what goes over into the next buffer.
    func rest(behindData count: Int) -> Region {
        let start = count == dataEnd ? readEnd : count
        return region.part(from: start, count: filled - start)
    }

    /// Takes over what another buffer had behind the first `count` bytes of its data.
    mutating func takeOver(_ earlier: FormBuffer, behindData count: Int) {
        filled = Int(earlier.rest(behindData: count).count)
        dataEnd = earlier.dataEnd - count
        readEnd = dataEnd
    }
}
