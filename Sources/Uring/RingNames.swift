/// What the bits of a ring's facts are called, for people: <linux/io_uring.h> without its prefixes.

import CUring
public import IO

extension RingFacts {
    /// IORING_SETUP_* by bit, as of Linux 6.18.
    private static let setupNames = [
        "IOPOLL", "SQPOLL", "SQ_AFF", "CQSIZE", "CLAMP", "ATTACH_WQ", "R_DISABLED", "SUBMIT_ALL",
        "COOP_TASKRUN", "TASKRUN_FLAG", "SQE128", "CQE32", "SINGLE_ISSUER", "DEFER_TASKRUN",
        "NO_MMAP", "REGISTERED_FD_ONLY", "NO_SQARRAY", "HYBRID_IOPOLL", "CQE_MIXED",
    ]

    /// IORING_FEAT_* by bit, as of Linux 6.18.
    private static let featureNames = [
        "SINGLE_MMAP", "NODROP", "SUBMIT_STABLE", "RW_CUR_POS", "CUR_PERSONALITY", "FAST_POLL",
        "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG", "NATIVE_WORKERS", "RSRC_TAGS", "CQE_SKIP",
        "LINKED_FILE", "REG_REG_RING", "RECVSEND_BUNDLE", "MIN_TIMEOUT", "RW_ATTR", "NO_IOWAIT",
    ]

    public var setupFlagNames: [String] { RingFacts.names(setupFlags, RingFacts.setupNames) }

    public var featuresPresent: [String] { RingFacts.names(features, RingFacts.featureNames) }

    /// Known ones that this kernel lacks.
    public var featuresMissing: [String] { RingFacts.names(~features, RingFacts.featureNames) }

    private static func names(_ bits: UInt32, _ names: [String]) -> [String] {
        names.indices.filter { bits >> UInt32($0) & 1 == 1 }.map { names[$0] }
    }
}

extension RingProbe {
    /// Opens a ring as a core would, and closes it.
    public static func facts(entries: UInt32) throws(KernelError) -> RingFacts {
        var opened: OpaquePointer?
        var granted = curing_facts()
        let status = unsafe curing_open(entries, &opened, &granted)
        guard status == 0, let opened = unsafe opened else { throw KernelError(code: -status) }
        unsafe curing_close(opened)
        return RingFacts(granted)
    }

    /// The operations that we need and this kernel lacks; nil if it does not say.
    public static func missingOperations() -> [String]? {
        var missing: UInt64 = 0
        guard unsafe curing_missing_operations(&missing) == 0 else { return nil }
        return (UInt32(0)..<64).filter { missing >> UInt64($0) & 1 == 1 }
            .compactMap { unsafe curing_operation_name($0).map { unsafe String(cString: $0) } }
    }
}
