/// Packets on their way over a link, in one direction.

struct TransitQueue: Sendable {
    private struct Traveller {
        let packet: [UInt8]
        let due: UInt64
    }

    /// Those before `first` have left.
    private var travellers: [Traveller] = []
    private var first = 0
    private(set) var byteCount = 0
    private var lastDue: UInt64 = 0
    let byteCountMax: Int

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    var count: Int { travellers.count - first }

    /// When the next one arrives.
    var nextDue: UInt64? { count > 0 ? travellers[first].due : nil }

    /// Takes a packet that would arrive at `due`, but never overtakes. False: there is no room, and
    /// it is lost.
    mutating func enter(_ packet: [UInt8], due: UInt64) -> Bool {
        guard byteCount + packet.count <= byteCountMax else { return false }
        lastDue = max(lastDue, due)
        travellers.append(Traveller(packet: packet, due: lastDue))
        byteCount += packet.count
        return true
    }

    /// The next packet that has arrived by now.
    mutating func leave(now: UInt64) -> [UInt8]? {
        guard let due = nextDue, due <= now else { return nil }
        let packet = travellers[first].packet
        byteCount -= packet.count
        first += 1
        if first == travellers.count || first >= TransitQueue.leftMax {
            travellers.removeFirst(first)
            first = 0
        }
        return packet
    }

    /// Room is made once so many have left: not for each of them.
    private static let leftMax = 1024

    /// All that are on their way are lost.
    mutating func removeAll() {
        travellers.removeAll(keepingCapacity: true)
        (first, byteCount) = (0, 0)
    }
}
