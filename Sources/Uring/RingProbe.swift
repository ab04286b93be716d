/// Tells at start whether this kernel lets us run, and if not, what is missing and what to change.

import CUring
import Glibc
public import IO

public enum RingProbe {
    /// The oldest kernel with everything we ask for: DEFER_TASKRUN and multishot receive.
    public static let minimumKernel = "6.1"

    /// Opens and closes a ring, then asks for each operation. Throws one line for the operator.
    public static func check() throws(RingUnavailable) {
        var opened: OpaquePointer?
        var facts = curing_facts()
        let status = unsafe curing_open(8, &opened, &facts)
        guard status == 0, let opened = unsafe opened else {
            throw RingUnavailable(explain(KernelError(code: -status)))
        }
        unsafe curing_close(opened)
        guard let missing = missingOperations() else {
            throw RingUnavailable("io_uring cannot be probed: Linux \(minimumKernel) is needed")
        }
        guard missing.isEmpty else {
            throw RingUnavailable(
                "this kernel's io_uring lacks \(missing.joined(separator: ", "));"
                    + " Linux \(minimumKernel) or later is needed, this is \(kernelRelease())")
        }
    }

    /// Whether sends can leave without a copy, and tell when they did not: from Linux 6.2 on, and
    /// on some before (Debian's 6.1).
    public static func hasZeroCopy() -> Bool {
        var opened: OpaquePointer?
        var facts = curing_facts()
        guard unsafe curing_open(8, &opened, &facts) == 0, let opened = unsafe opened else {
            return false
        }
        defer { unsafe curing_close(opened) }
        return unsafe curing_has_zero_copy(opened)
    }

    /// One line for the errno with which a ring could not be opened.
    public static func explain(_ error: KernelError, disabledSetting: Int? = disabled()) -> String {
        switch error {
        case .notImplemented:
            return "io_uring is not there: the kernel lacks it (this is \(kernelRelease()),"
                + " \(minimumKernel) is needed) or a container's seccomp profile hides it;"
                + " allow io_uring_setup, io_uring_enter and io_uring_register"
        case .notPermitted where (disabledSetting ?? 0) > 0:
            return "io_uring is switched off: kernel.io_uring_disabled is \(disabledSetting ?? 0);"
                + " set it to 0 (sysctl -w kernel.io_uring_disabled=0)"
        case .notPermitted, .notAllowed:
            return "io_uring is refused to this process, most likely by a container's seccomp"
                + " profile: allow io_uring_setup, io_uring_enter and io_uring_register"
        case .noMemory:
            return "io_uring has no locked memory left: raise RLIMIT_MEMLOCK (ulimit -l;"
                + " LimitMEMLOCK= in a systemd unit)"
        case .invalid:
            return "this kernel's io_uring is too old: Linux \(minimumKernel) is needed,"
                + " this is \(kernelRelease())"
        case .tooManyFiles:
            return "no file descriptor is left for an io_uring: raise RLIMIT_NOFILE (ulimit -n)"
        default:
            return "io_uring cannot be opened: errno \(error.code)"
        }
    }

    /// /proc/sys/kernel/io_uring_disabled (Linux 6.6): 0, 1 or 2; nil where there is none.
    public static func disabled() -> Int? {
        guard let file = unsafe fopen("/proc/sys/kernel/io_uring_disabled", "r") else { return nil }
        defer { unsafe _ = fclose(file) }
        let digit = unsafe fgetc(file) - 48
        return (0...2).contains(digit) ? Int(digit) : nil
    }

    public static func kernelRelease() -> String {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return "unknown" }
        return unsafe withUnsafeBytes(of: &name.release) {
            unsafe String(
                decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Why there can be no ring here, and what to change: one line.
public struct RingUnavailable: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
