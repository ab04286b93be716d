/// What the system lets this process take (getrlimit(2)), and how much more it lets it ask for.

import Glibc
public import IO

public enum ResourceLimits {
    public enum Resource: Sendable { case openFiles, lockedMemory }

    /// Raises the soft limit to the hard one, which takes no privilege, and answers the result.
    @discardableResult
    public static func raise(_ resource: Resource) throws(KernelError) -> ResourceLimit {
        var limits = try read(resource)
        if limits.rlim_cur != limits.rlim_max {
            limits.rlim_cur = limits.rlim_max
            let status = unsafe setrlimit(number(of: resource), &limits)
            guard status == 0 else { throw KernelError(code: errno) }
        }
        return ResourceLimit(limits)
    }

    public static func current(_ resource: Resource) throws(KernelError) -> ResourceLimit {
        ResourceLimit(try read(resource))
    }

    private static func read(_ resource: Resource) throws(KernelError) -> rlimit {
        var limits = rlimit()
        let status = unsafe getrlimit(number(of: resource), &limits)
        guard status == 0 else { throw KernelError(code: errno) }
        return limits
    }

    private static func number(of resource: Resource) -> __rlimit_resource_t {
        switch resource {
        case .openFiles: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        case .lockedMemory: __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
        }
    }
}

/// Descriptors or bytes; nil is without limit.
public struct ResourceLimit: Equatable, Sendable {
    public let soft: Int?
    public let hard: Int?

    fileprivate init(_ limits: rlimit) {
        // RLIM_INFINITY is all ones, which no Int holds.
        (soft, hard) = (Int(exactly: limits.rlim_cur), Int(exactly: limits.rlim_max))
    }
}
