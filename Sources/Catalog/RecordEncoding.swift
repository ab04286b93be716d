/// How the smaller tables' records lie in LMDB. Each `init?` is nil for bytes of another length.

extension CatalogExtent {
    var encodedValue: InlineArray<4, UInt8> {
        var bytes = InlineArray<4, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(blocks, at: 0)
        return bytes
    }

    init?(key: Span<UInt8>, value: Span<UInt8>) {
        guard let address = NumberKey.number(in: key), value.count == 4 else { return nil }
        self.init(address: address, blocks: value.load(UInt32.self, at: 0))
    }
}

extension CatalogLease {
    static func key(volume: UInt32, segment: UInt32) -> NumberKey {
        NumberKey(UInt64(volume) << 32 | UInt64(segment))
    }

    var encodedValue: InlineArray<8, UInt8> {
        var bytes = InlineArray<8, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(sequence, at: 0)
        return bytes
    }

    init?(key: Span<UInt8>, value: Span<UInt8>) {
        guard let place = NumberKey.number(in: key), value.count == 8 else { return nil }
        self.init(
            volume: UInt32(place >> 32), segment: UInt32(truncatingIfNeeded: place),
            sequence: value.load(UInt64.self, at: 0))
    }
}

extension CatalogRemoval {
    var encodedValue: InlineArray<24, UInt8> {
        var bytes = InlineArray<24, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(removedAddress, at: 0)
        target.store(nameHash, at: 8)
        target.store(sequence, at: 16)
        return bytes
    }

    init?(key: Span<UInt8>, value: Span<UInt8>) {
        guard let address = NumberKey.number(in: key), value.count == 24 else { return nil }
        self.init(
            address: address, removedAddress: value.load(UInt64.self, at: 0),
            nameHash: value.load(UInt64.self, at: 8), sequence: value.load(UInt64.self, at: 16))
    }
}

extension CatalogMetadata {
    static let key = NumberKey(0)

    /// The version comes first in every format, so that an older program can tell.
    var encodedValue: InlineArray<32, UInt8> {
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        target.store(formatVersion, at: 0)
        target.store(UInt8(isClean ? 1 : 0), at: 4)
        target.store(instance.high, at: 8)
        target.store(instance.low, at: 16)
        target.store(applied, at: 24)
        return bytes
    }

    static func version(in value: Span<UInt8>) -> UInt32? {
        value.count >= 4 ? value.load(UInt32.self, at: 0) : nil
    }

    init?(value: Span<UInt8>) {
        guard value.count == 32 else { return nil }
        self.init(
            instance: CatalogInstance(
                high: value.load(UInt64.self, at: 8), low: value.load(UInt64.self, at: 16)),
            applied: value.load(UInt64.self, at: 24),
            isClean: value.load(UInt8.self, at: 4) == 1)
        formatVersion = value.load(UInt32.self, at: 0)
    }
}
