// CRC32C (Castagnoli, RFC 3720 section 12.1): the checksum of everything that is on disk.

import CChecksum

/// Continues `previous`, the checksum of the bytes before (0 when there are none), over `bytes`.
/// More than 15 GB/s where the processor has the instruction, 50 where it multiplies 64 bytes at
/// once (AVX-512, VPCLMULQDQ): call it once for a span.
public func crc32c(_ bytes: RawSpan, continuing previous: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe cchecksum_crc32c(previous, $0.baseAddress, $0.count) }
}

/// The checksum of A followed by B, from those of A and of B and the byte count of B.
public func combineCRC32C(
    _ first: UInt32, _ second: UInt32, secondByteCount: UInt64
) -> UInt32 {
    precondition(secondByteCount >> 61 == 0, "no run of bytes is that long")
    return cchecksum_combine(first, second, secondByteCount)
}

/// The checksum of `byteCount` bytes from those of their units of `unitByteCount` bytes, the last
/// of which may be shorter: by four look-ups a unit.
public func combineCRC32C(
    units: Span<UInt32>, unitByteCount: UInt64, byteCount: UInt64
) -> UInt32 {
    precondition(unitByteCount > 0 && unitByteCount >> 61 == 0, "no unit is that long")
    let (whole, rest) = byteCount.quotientAndRemainder(dividingBy: unitByteCount)
    precondition(UInt64(units.count) == whole + (rest > 0 ? 1 : 0), "each unit has a checksum")
    let lastByteCount = rest > 0 ? rest : unitByteCount
    return unsafe units.withUnsafeBufferPointer { units in
        unsafe cchecksum_combine_units(
            units.baseAddress, units.count, unitByteCount, lastByteCount)
    }
}

/// The ways there are to compute the same number; tests hold them against each other.
enum CRC32CMethod: CaseIterable {
    case table, instruction, threeChains, folding

    var isAvailable: Bool {
        switch self {
        case .table: true
        case .instruction: cchecksum_has_instruction()
        case .threeChains: cchecksum_has_multiplication()
        case .folding: cchecksum_has_wide_multiplication()
        }
    }

    func checksum(_ bytes: RawSpan, continuing previous: UInt32 = 0) -> UInt32 {
        precondition(isAvailable, "this processor cannot compute CRC32C by \(self)")
        return unsafe bytes.withUnsafeBytes { bytes in
            switch self {
            case .table:
                unsafe cchecksum_crc32c_by_table(previous, bytes.baseAddress, bytes.count)
            case .instruction:
                unsafe cchecksum_crc32c_by_instruction(previous, bytes.baseAddress, bytes.count)
            case .threeChains:
                unsafe cchecksum_crc32c_by_three_chains(previous, bytes.baseAddress, bytes.count)
            case .folding:
                unsafe cchecksum_crc32c_by_folding(previous, bytes.baseAddress, bytes.count)
            }
        }
    }
}
