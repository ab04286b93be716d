// Where one thread leaves what others take: so much at a time that neither side waits often, and so
// little that nothing piles up.

internal import Foundation

final class HandOver<Element: Sendable>: @unchecked Sendable {
    // Unchecked: everything is touched under `condition` only.
    private let condition = NSCondition()
    private let countMax: Int
    private var elements: [Element] = []
    private var hasEnded = false

    init(countMax: Int) {
        precondition(countMax > 0, "nothing would get through")
        self.countMax = countMax
    }

    /// Waits while it is full. False if nobody takes any more.
    func put(_ element: Element) -> Bool {
        condition.withLock {
            while elements.count >= countMax, !hasEnded { condition.wait() }
            guard !hasEnded else { return false }
            elements.append(element)
            condition.broadcast()
            return true
        }
    }

    /// Waits while there is nothing; nil if nothing comes any more.
    func take() -> Element? {
        condition.withLock {
            while elements.isEmpty, !hasEnded { condition.wait() }
            guard !elements.isEmpty else { return nil }
            condition.broadcast()
            return elements.removeFirst()
        }
    }

    /// Nothing comes any more; what is there is still taken.
    func end() {
        condition.withLock {
            hasEnded = true
            condition.broadcast()
        }
    }

    /// The same, and what is there is forgotten.
    func cut() {
        condition.withLock {
            elements = []
            hasEnded = true
            condition.broadcast()
        }
    }
}
