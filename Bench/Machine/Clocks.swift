/// Clocks: the wall's, a process's, this thread's.

import Glibc
public import IO

public enum Clocks {
    /// Nanoseconds since the machine started.
    @inline(__always)
    public static func now() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// CPU time of the calling thread, in nanoseconds.
    public static func thisThread() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    /// CPU time of this process, in nanoseconds.
    public static func thisProcess() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    /// CPU time of all children that have ended and been waited for, in nanoseconds, threads and
    /// io-wq workers included. In whole microseconds (getrusage(2)).
    public static func children() -> UInt64 {
        var usage = rusage()
        unsafe getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { sum, time in
            sum + UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000
        }
    }

    /// CPU time of a process in nanoseconds: all its threads, those that ended and the kernel's
    /// io-wq workers included (clock_getcpuclockid(3)).
    public static func process(_ pid: Int32) throws(KernelError) -> UInt64 {
        var clock: clockid_t = 0
        let status = unsafe clock_getcpuclockid(pid, &clock)
        guard status == 0 else { throw KernelError(code: status) }
        var time = timespec()
        _ = try answer(unsafe clock_gettime(clock, &time))
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Ticks a second of the counters in /proc, almost always 100.
    public static func ticksPerSecond() -> Double { Double(sysconf(Int32(_SC_CLK_TCK))) }

    public static func sleep(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    @inline(__always)
    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
