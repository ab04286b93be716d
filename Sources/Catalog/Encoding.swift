/// Fixed-width integers in bytes: little-endian in values, big-endian in keys, where the order of
/// the bytes is the order of the table.

extension MutableSpan<UInt8> {
    @_lifetime(self: copy self)
    mutating func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        var rest = number
        for index in 0..<MemoryLayout<Number>.size {
            self[offset + index] = UInt8(truncatingIfNeeded: rest)
            if Number.bitWidth > 8 { rest >>= 8 }
        }
    }
}

extension Span<UInt8> {
    func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, at offset: Int
    ) -> Number {
        // Bounds are checked by the call; any bits make a fixed-width integer.
        let number = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
        return Number(littleEndian: number)
    }

    /// A copy, for what must outlive the borrowed memory.
    var copied: [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in indices { copy.append(self[index]) }
        return copy
    }

    func hasPrefix(_ prefix: [UInt8]) -> Bool {
        guard count >= prefix.count else { return false }
        for index in prefix.indices where self[index] != prefix[index] { return false }
        return true
    }

    func isEqual(to other: [UInt8]) -> Bool {
        count == other.count && hasPrefix(other)
    }
}

extension [UInt8] {
    mutating func appendBigEndian<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

/// The key of the tables whose keys are numbers.
struct NumberKey {
    let bytes: InlineArray<8, UInt8>

    init(_ number: UInt64) {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(number.byteSwapped, at: 0)
        self.bytes = bytes
    }

    static func number(in key: Span<UInt8>) -> UInt64? {
        key.count == 8 ? key.load(UInt64.self, at: 0).byteSwapped : nil
    }
}
