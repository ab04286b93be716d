/// What this process may use: CPUs, descriptors, privileges.

import CBench
import Glibc
public import IO

public enum Limits {
    public static let isRoot = geteuid() == 0

    /// Binds the calling thread, and every thread it makes later, to one CPU.
    public static func bind(toCPU cpu: Int) throws(KernelError) {
        if let error = KernelError(result: cbench_bind_to_cpu(UInt32(cpu))) { throw error }
    }

    /// Raises RLIMIT_NOFILE to at least `count`, the hard limit too where that is allowed.
    /// Answers the limit that now holds.
    public static func raiseOpenFiles(to count: Int) -> Int {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(files, &limit) == 0 else { return 0 }
        var wanted = limit
        wanted.rlim_cur = max(limit.rlim_cur, rlim_t(count))
        wanted.rlim_max = max(limit.rlim_max, wanted.rlim_cur)
        if unsafe setrlimit(files, &wanted) == 0 { return Int(wanted.rlim_cur) }
        wanted.rlim_max = limit.rlim_max
        wanted.rlim_cur = min(limit.rlim_max, wanted.rlim_cur)
        if unsafe setrlimit(files, &wanted) == 0 { return Int(wanted.rlim_cur) }
        return Int(limit.rlim_cur)
    }
}
