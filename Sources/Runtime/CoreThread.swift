/// A thread of our own that stays on one processor: the place where a core lives.

import CMachine
public import IO

public struct CoreThread: ~Copyable {
    /// What the kernel keeps of a name (prctl(2), PR_SET_NAME).
    public static let nameBytesMax = 15

    private let handle: UInt64

    /// Starts a thread that runs `body` on `cpu` only, or anywhere if that is nil. It must be
    /// joined. Signals are blocked in it as they are in the caller. Fails with `invalid` if the
    /// process may not use that CPU, with `wouldBlock` if it may have no more threads.
    public static func start(
        name: String, cpu: Int?, _ body: @escaping @Sendable () -> Void
    ) throws(KernelError) -> CoreThread {
        precondition(name.utf8.count <= nameBytesMax, "the kernel would not take the name")
        precondition((cpu ?? 0) >= 0, "CPUs are counted from 0")
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle: UInt64 = 0
        let status = unsafe cmachine_thread_start(
            cpu.map { Int32(clamping: $0) } ?? -1,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque(), &handle)
        if let error = KernelError(result: status) {
            unsafe start.release()
            throw error
        }
        return CoreThread(handle: handle)
    }

    private init(handle: UInt64) { self.handle = handle }

    /// Waits until the body has returned.
    public consuming func join() {
        let status = cmachine_thread_join(handle)
        discard self
        precondition(status == 0, "a thread was joined by itself: errno \(-status)")
    }

    /// For a thread that lives until the process ends.
    consuming func leaveRunning() { discard self }

    deinit { precondition(false, "a thread was dropped; join it") }

    /// Keeps the calling thread on `cpu`. Fails with `invalid` if the process may not use it.
    public static func pinCurrent(to cpu: Int) throws(KernelError) {
        precondition(cpu >= 0, "CPUs are counted from 0")
        let status = cmachine_pin(UInt32(clamping: cpu))
        if let error = KernelError(result: status) { throw error }
    }

    /// The CPU that runs the calling thread; where it is not pinned, maybe no longer.
    public static var currentCPU: Int { Int(cmachine_current_cpu()) }

    /// The calling thread's name.
    public static var currentName: String {
        var name = [CChar](repeating: 0, count: nameBytesMax + 1)
        _ = unsafe cmachine_thread_name(&name)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// What the new thread finds when it starts.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            (self.name, self.body) = (name, body)
        }

        func run() {
            // For whoever reads `top -H`; a thread without its name works the same.
            _ = unsafe cmachine_thread_set_name(name)
            body()
        }
    }
}
