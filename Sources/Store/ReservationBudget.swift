/// How much space uploads have reserved for bytes that have not arrived, and how much they may.

import Synchronization

/// Decides: a client that announces and does not send would keep that space from all others.
///
/// Invariant: `bytesReserved` is what was taken less what arrived or was given up.
struct ReservationBudget: Sendable, Equatable {
    let bytesMax: UInt64
    private(set) var bytesReserved: UInt64 = 0

    init(bytesMax: UInt64) { self.bytesMax = bytesMax }

    /// Whether an upload of `bytes` bytes may reserve its space now. One that is alone always may:
    /// else an object longer than the limit could never come.
    mutating func take(_ bytes: UInt64) -> Bool {
        let left = bytesMax - min(bytesMax, bytesReserved)
        guard bytesReserved == 0 || bytes <= left else { return false }
        bytesReserved += bytes
        return true
    }

    /// So many bytes arrived, or never will.
    mutating func end(_ bytes: UInt64) {
        precondition(bytes <= bytesReserved, "more bytes came than were reserved")
        bytesReserved -= bytes
    }
}

extension StoreState {
    /// False where that would be too much; else to be ended, byte for byte.
    func reserve(_ bytes: UInt64) -> Bool { reservations.withLock { $0.take(bytes) } }

    func endReservation(_ bytes: UInt64) { reservations.withLock { $0.end(bytes) } }

    var bytesReserved: UInt64 { reservations.withLock { $0.bytesReserved } }
}
