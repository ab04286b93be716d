import CTLS

/// Bytes that nobody can guess, for secrets, tokens and identifiers.
public enum Randomness {
    public static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            let isFilled = unsafe ctls_random(target.baseAddress, count)
            precondition(isFilled, "libcrypto's generator found no seed: no secret is safe here")
            filled = count
        }
    }

    /// Eight of them as an integer.
    public static func integer() -> UInt64 {
        bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
