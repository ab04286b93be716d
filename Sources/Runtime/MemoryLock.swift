/// How much memory each core may register with its ring.
///
/// Registered buffers are pinned and count against RLIMIT_MEMLOCK, per user and over all rings,
/// unless the process has CAP_IPC_LOCK (io_uring_register(2)). Debian's default is 8 MiB. A small
/// limit is no error: the arenas shrink to fit, or go unregistered, which is slower.

public import IO
import Loop

public enum MemoryLock {
    /// What one core maps, and whether its ring registers it.
    public struct Plan: Equatable, Sendable {
        public let bytesPerCore: Int
        public let isRegistered: Bool
        /// One line for the log if this is not what was asked for.
        public let warning: String?
    }

    /// The kernel takes no larger buffer (io_sqe_buffer_register, SZ_1G).
    public static let registeredMax = 1 << 30

    /// A pinned huge page counts whole, however little of it is ours.
    static let granule = 2 << 20

    /// - Parameters:
    ///   - requestedPerCore: bytes, at least `CoreMemory.smallest`.
    ///   - limit: RLIMIT_MEMLOCK in bytes after raising it; nil is without limit.
    public static func plan(
        requestedPerCore: Int, coreCount: Int, limit: Int?, hasLockCapability: Bool
    ) -> Plan {
        precondition(requestedPerCore >= CoreMemory.smallest && coreCount > 0)
        let wanted = min(requestedPerCore, registeredMax)
        let share = limit.map { $0 / coreCount / granule * granule } ?? .max
        if !hasLockCapability, wanted > share {
            return shrink(wanted, coreCount: coreCount, share: share, limit: limit ?? 0)
        }
        guard wanted < requestedPerCore else {
            return Plan(bytesPerCore: wanted, isRegistered: true, warning: nil)
        }
        let warning =
            "memory_per_core is \(Bytes(requestedPerCore)), but a ring registers at most"
            + " \(Bytes(registeredMax)); each core gets that"
        return Plan(bytesPerCore: wanted, isRegistered: true, warning: warning)
    }

    private static func shrink(
        _ requested: Int, coreCount: Int, share: Int, limit: Int
    ) -> Plan {
        let start =
            "RLIMIT_MEMLOCK is \(Bytes(limit)), but \(coreCount) × memory_per_core needs"
            + " \(Bytes(coreCount * requested)): "
        let fix = "; raise it with `ulimit -l` or `LimitMEMLOCK=infinity` in the systemd unit"
        guard share >= CoreMemory.smallest else {
            return Plan(
                bytesPerCore: requested, isRegistered: false,
                warning: start + "buffers stay unregistered, which is slower" + fix)
        }
        return Plan(
            bytesPerCore: share, isRegistered: true,
            warning: start + "each core gets \(Bytes(share))" + fix)
    }

    /// Whether `status`, the text of /proc/self/status, grants CAP_IPC_LOCK (capabilities(7)).
    static func hasLockCapability(status: String) -> Bool {
        let number: UInt64 = 14
        let key = "CapEff:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
            let mask = UInt64(line.dropFirst(key.count).trimmed, radix: 16)
        else { return false }
        return mask >> number & 1 == 1
    }

    public static func hasLockCapability() -> Bool {
        hasLockCapability(status: TextFile.read("/proc/self/status") ?? "")
    }

    /// The plan for this process; raises its soft limit to the hard one first.
    public static func plan(requestedPerCore: Int, coreCount: Int) throws(KernelError) -> Plan {
        let limit = try ResourceLimits.raise(.lockedMemory)
        return plan(
            requestedPerCore: requestedPerCore, coreCount: coreCount, limit: limit.soft,
            hasLockCapability: hasLockCapability())
    }
}

/// A size for people: "8 MiB"; exact, in the largest unit that divides it.
struct Bytes: CustomStringConvertible {
    let count: Int
    init(_ count: Int) { self.count = count }

    var description: String {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")]
        for (shift, name) in units where count >= 1 << shift && count % (1 << shift) == 0 {
            return "\(count >> shift) \(name)"
        }
        return "\(count) bytes"
    }
}
