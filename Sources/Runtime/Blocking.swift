/// A thread without a loop that waits for work on one.

import Loop
import Synchronization

enum Blocking {
    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
        let gate = Gate()
    }

    /// Runs `body` as a task of `loop` and returns what it answers.
    @discardableResult
    static func wait<Value: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable () async -> Value
    ) -> Value {
        let box = start(on: loop, body)
        box.gate.wait()
        return answer(box)
    }

    /// The same, but nil if there is no answer within so many seconds; the task runs on.
    static func wait<Value: Sendable>(
        on loop: EventLoop, withinSeconds seconds: UInt32,
        _ body: @escaping @Sendable () async -> Value
    ) -> Value? {
        let box = start(on: loop, body)
        return box.gate.wait(withinSeconds: seconds) ? answer(box) : nil
    }

    private static func start<Value: Sendable>(
        on loop: EventLoop, _ body: @escaping @Sendable () async -> Value
    ) -> Box<Value> {
        precondition(!loop.isCurrent, "a loop cannot wait for itself")
        let box = Box<Value>()
        Task(executorPreference: loop) {
            let answer = await body()
            box.value.withLock { $0 = answer }
            box.gate.open()
        }
        return box
    }

    private static func answer<Value: Sendable>(_ box: Box<Value>) -> Value {
        guard let answer = box.value.withLock({ $0 }) else {
            preconditionFailure("the gate opened without an answer")
        }
        return answer
    }
}
