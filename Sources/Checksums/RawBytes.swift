// Raw bytes and integers as views of each other, without `unsafe` at the caller: no integer has
// padding or a forbidden bit pattern, and every access is checked against the bounds.

extension RawSpan {
    /// The integer at byte `offset`, which need not be aligned.
    @inline(__always)
    public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Integer.Type = Integer.self
    ) -> Integer {
        // Every bit pattern is an integer, and the checked load traps outside of the span.
        unsafe Integer(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The same bytes as elements: every byte is a `UInt8`, at every alignment.
    @inline(__always)
    public var octets: Span<UInt8> {
        @_lifetime(copy self)
        get { unsafe _unsafeView(as: UInt8.self) }
    }
}

extension MutableRawSpan {
    /// Puts `value` at byte `offset`, which need not be aligned.
    @inline(__always)
    @_lifetime(self: copy self)
    public mutating func put<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ value: Integer, at offset: Int
    ) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Integer.self)
    }

    /// Copies all of `source` to `offset`.
    @_lifetime(self: copy self)
    public mutating func put(_ source: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset <= byteCount - source.byteCount)
        guard !source.isEmpty else { return }
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes { source in
                unsafe target.baseAddress!.advanced(by: offset)
                    .copyMemory(from: source.baseAddress!, byteCount: source.count)
            }
        }
    }

    /// Fills `range` with zeros.
    @_lifetime(self: copy self)
    public mutating func zero(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        guard !range.isEmpty else { return }
        unsafe withUnsafeMutableBytes { target in
            _ = unsafe target.baseAddress!.advanced(by: range.lowerBound)
                .initializeMemory(as: UInt8.self, repeating: 0, count: range.count)
        }
    }
}

extension Span where Element: FixedWidthInteger & BitwiseCopyable {
    /// The memory of these integers, in the processor's byte order.
    @inline(__always)
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        get { unsafe bytes }
    }
}

extension MutableSpan where Element: FixedWidthInteger & BitwiseCopyable {
    /// The memory of these integers, in the processor's byte order.
    @inline(__always)
    public var mutableRawBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get { unsafe mutableBytes }
    }
}
