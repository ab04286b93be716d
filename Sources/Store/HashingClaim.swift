/// Who may use the pieces of one digest: the hasher those that it claims one by one, and nobody but
/// their owner the others, once that has abandoned the digest.
///
///     free ──begin──▶ hashing ──────end──────▶ free
///       │                └──abandon──▶ hashing its last ──end──┐
///       └──abandon──────────────────────────────────────▶ abandoned

import Synchronization

struct HashingClaim: ~Copyable, Sendable {
    /// The mark behind the piece that is being hashed, twice, or 0; plus 1 once abandoned.
    private let state = Atomic<UInt64>(0)

    /// The hasher's, before it reads the piece that ends at `mark`. False: it may not.
    func begin(_ mark: UInt64) -> Bool {
        precondition(mark > 0 && mark <= .max >> 1, "no piece ends there")
        return state.compareExchange(
            expected: 0, desired: mark << 1, ordering: .acquiring
        ).exchanged
    }

    /// The hasher's, when it has read that piece.
    func end() { state.bitwiseAnd(1, ordering: .releasing) }

    /// The owner's: from now on `begin` answers false. The mark behind the piece that is being
    /// hashed, if one is: that piece is not the owner's yet.
    func abandon() -> UInt64? {
        let before = state.bitwiseOr(1, ordering: .acquiringAndReleasing).oldValue
        return before > 1 ? before >> 1 : nil
    }
}
