/// What an operator is told once in a process's life, on whichever core it is met first: what goes
/// on without being a failure of any request.

import Synchronization

public final class Complaints: Sendable {
    enum Subject: UInt8 {
        case noLinkInfo, partialLinkInfo, noTuning, absurdHints
    }

    private let made = Atomic<UInt8>(0)

    public init() {}

    /// True the first time.
    func isFirst(_ subject: Subject) -> Bool {
        let bit: UInt8 = 1 << subject.rawValue
        return made.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0
    }
}
