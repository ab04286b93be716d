/// An errno the operating system handed us: expected, and always handled by whoever asked.
public struct KernelError: Error, Equatable, Sendable {
    /// Positive, as in errno(3), Linux on x86-64 and arm64.
    public let code: Int32

    public init(code: Int32) { self.code = code }

    /// Nil if `result` is a success.
    @inline(__always)
    public init?(result: Int32) {
        guard result < 0 else { return nil }
        self.code = -result
    }

    public static let notPermitted = KernelError(code: 1)
    public static let notFound = KernelError(code: 2)
    public static let io = KernelError(code: 5)
    public static let badDescriptor = KernelError(code: 9)
    public static let wouldBlock = KernelError(code: 11)
    public static let noMemory = KernelError(code: 12)
    public static let notAllowed = KernelError(code: 13)
    public static let exists = KernelError(code: 17)
    public static let invalid = KernelError(code: 22)
    public static let tooManyFiles = KernelError(code: 24)
    public static let fileTooLarge = KernelError(code: 27)
    public static let noSpace = KernelError(code: 28)
    public static let brokenPipe = KernelError(code: 32)
    public static let notImplemented = KernelError(code: 38)
    public static let notResident = KernelError(code: 61)  // ENODATA: our own use of it.
    public static let timedOut = KernelError(code: 62)  // ETIME, as io_uring timeouts answer.
    public static let notSupported = KernelError(code: 95)
    public static let noBuffers = KernelError(code: 105)
    public static let reset = KernelError(code: 104)
    public static let addressInUse = KernelError(code: 98)
    public static let cancelled = KernelError(code: 125)
}
