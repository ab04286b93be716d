/// What a hash or checksum algorithm says of bytes, as clients send it and are told it.
public enum DigestAlgorithm: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case sha256, sha1, crc32c

    public var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha1: 20
        case .crc32c: 4
        }
    }

    /// In the fields of RFC 9530; nil for what is not offered there: SHA-1 is for tus alone.
    public var fieldKey: String? {
        switch self {
        case .sha256: "sha-256"
        case .sha1: nil
        case .crc32c: "crc32c"
        }
    }

    /// In tus's Upload-Checksum and Tus-Checksum-Algorithm.
    public var tusName: String {
        switch self {
        case .sha256: "sha256"
        case .sha1: "sha1"
        case .crc32c: "crc32c"
        }
    }

    /// nil for every key that is not known here; keys have no upper case.
    init?(fieldKey key: Span<UInt8>) {
        for algorithm in DigestAlgorithm.allCases {
            guard let known = algorithm.fieldKey, key.equals(known.utf8.span) else { continue }
            self = algorithm
            return
        }
        return nil
    }

    init?(tusName name: Span<UInt8>) {
        for algorithm in DigestAlgorithm.allCases where name.equals(algorithm.tusName.utf8.span) {
            self = algorithm
            return
        }
        return nil
    }
}

/// A value of one of the algorithms.
public struct Digest: BitwiseCopyable, Sendable {
    public let algorithm: DigestAlgorithm
    private var storage = InlineArray<32, UInt8>(repeating: 0)

    /// - Parameter bytes: as many as the algorithm has.
    public init(_ algorithm: DigestAlgorithm, _ bytes: Span<UInt8>) {
        precondition(bytes.count == algorithm.byteCount, "a digest has its algorithm's length")
        self.algorithm = algorithm
        for index in bytes.indices { storage[index] = bytes[index] }
    }

    /// A CRC-32C is sent as four bytes, the most significant first.
    public init(crc32c: UInt32) {
        algorithm = .crc32c
        for index in 0..<4 {
            storage[index] = UInt8(truncatingIfNeeded: crc32c >> UInt32(24 - 8 * index))
        }
    }

    /// nil unless the text is base64 of as many bytes as the algorithm has.
    init?(_ algorithm: DigestAlgorithm, base64 text: Span<UInt8>, _ rule: Base64.Rule) {
        guard Base64.decodedCount(text, rule) == algorithm.byteCount else { return nil }
        self.algorithm = algorithm
        var reader = Base64Reader()
        for index in 0..<algorithm.byteCount { storage[index] = reader.next(in: text) }
    }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { storage.span.extracting(0..<algorithm.byteCount) }
    }

    /// nil for another algorithm.
    public var crc32c: UInt32? {
        guard algorithm == .crc32c else { return nil }
        var value: UInt32 = 0
        for index in 0..<4 { value = value << 8 | UInt32(storage[index]) }
        return value
    }
}

extension Digest: Equatable {
    public static func == (left: Digest, right: Digest) -> Bool {
        guard left.algorithm == right.algorithm else { return false }
        for index in 0..<left.algorithm.byteCount where left.storage[index] != right.storage[index]
        {
            return false
        }
        return true
    }
}
