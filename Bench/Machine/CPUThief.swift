/// Takes a part of one CPU away from whatever else runs there, evenly: a thread of real-time
/// priority that computes for so much of each period.
///
/// A quota of a control group is charged when the scheduler's tick comes (4 ms at 250 Hz without
/// high-resolution ticks): a process that is always busy runs on for one, two or three of them and
/// then stands still until that is paid, 8 ms and more, one that sleeps now and then never does.
/// That is a quota's price, and no delay of the server's. Here whatever is busy stands still for no
/// longer than is taken at once.

import Foundation
import Glibc
import IO
import Synchronization

public final class CPUThief: Sendable {
    private let isStopping = Atomic(false)
    private let hasEnded = Atomic(false)
    /// For a result's head.
    public let words: String

    /// Fails, in words, where this process may not have real-time priority.
    public init(cpu: Int, takenMicros: Int, periodMicros: Int) throws(ControlGroup.Refusal) {
        words =
            "\(periodMicros - takenMicros) of every \(periodMicros) µs of one CPU: a thread of"
            + " real-time priority takes the rest"
        let failure = Mutex<Int32?>(nil)
        let begun = DispatchSemaphore(value: 0)
        let thread = Thread { [self] in
            let error = CPUThief.rise(on: cpu)
            failure.withLock { $0 = error == 0 ? nil : error }
            begun.signal()
            if error == 0 { take(takenMicros, periodMicros) }
            hasEnded.store(true, ordering: .releasing)
        }
        thread.start()
        begun.wait()
        if let error = failure.withLock({ $0 }) {
            throw ControlGroup.Refusal(
                description: "no real-time priority on CPU \(cpu): errno \(error); root is needed")
        }
    }

    private static func rise(on cpu: Int) -> Int32 {
        do { try Limits.bind(toCPU: cpu) } catch { return error.code }
        var parameters = sched_param()
        parameters.sched_priority = 1
        return unsafe pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
    }

    private func take(_ takenMicros: Int, _ periodMicros: Int) {
        let (taken, period) = (UInt64(takenMicros) * 1000, UInt64(periodMicros) * 1000)
        var next = Clocks.now() + period
        while !isStopping.load(ordering: .relaxed) {
            var pause = timespec(
                tv_sec: Int(next / 1_000_000_000), tv_nsec: Int(next % 1_000_000_000))
            while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &pause, nil) == EINTR {}
            let end = Clocks.now() + taken
            while Clocks.now() < end {}
            next = max(next + period, Clocks.now())
        }
    }

    /// It has let go of the CPU when this returns.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) { usleep(1000) }
    }
}
