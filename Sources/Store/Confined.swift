/// Carries something that belongs to one event loop's thread through code whose types cannot say
/// so: into a task of that loop, or into an actor that runs on it.

import Loop

/// `@unchecked`: whoever unwraps it runs on the loop that the value belongs to; the loop checks
/// its thread wherever it is asked for something.
struct Confined<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

extension EventLoop {
    /// Starts work on this loop, which must be the caller's own, that nobody waits for.
    func inBackground(_ work: @escaping () async -> Void) {
        checkIsolated()
        let confined = Confined(work)
        Task(executorPreference: self) { await confined.value() }
    }
}
