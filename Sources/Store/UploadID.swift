/// The 16 bytes that name an upload until it is published, and its object afterwards.

import Catalog
import Cryptography
import Volumes

public struct UploadID: Hashable, Sendable {
    public let high: UInt64
    /// Its last 16 bits say which core owns the upload.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// One that nobody can guess, of an upload that the core of that index owns.
    public static func random(ownedBy core: Int) -> UploadID {
        UploadID(
            high: Randomness.integer(),
            low: Randomness.integer() << 16 | UInt64(UInt16(truncatingIfNeeded: core)))
    }

    /// The one that belongs to a name: the upload that begins under it, for who has only the name
    /// to find it again. Nobody can guess it without the instance's key.
    static func of(
        name: Span<UInt8>, _ authenticator: inout MessageAuthenticator
    ) -> UploadID {
        authenticator.begin()
        authenticator.update("millrace upload\0".utf8.span)
        authenticator.update(name)
        let tag = authenticator.finish()
        return UploadID(high: word(tag, at: 0), low: word(tag, at: 8))
    }

    private static func word(_ tag: MessageTag, at start: Int) -> UInt64 {
        (start..<start + 8).reduce(0) { $0 << 8 | UInt64(tag.bytes[$1]) }
    }

    /// Which of so many cores owns it, whatever their number was when it began.
    func owner(of coreCount: Int) -> Int { Int(UInt16(truncatingIfNeeded: low)) % coreCount }

    // MARK: As text

    /// 32 hexadecimal digits in lowercase.
    public var text: [UInt8] {
        let digits = Hexadecimal.string(octets.span)
        return Array(digits.utf8)
    }

    /// Nil for anything else than 32 hexadecimal digits.
    public init?(text: Span<UInt8>) {
        guard text.count == 32, let bytes = Hexadecimal.bytes(text) else { return nil }
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private var octets: [UInt8] {
        [high, low].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
        }
    }

    // MARK: As others know it

    var catalog: CatalogUploadID { CatalogUploadID(high: high, low: low) }
    var object: ObjectID { ObjectID(high: high, low: low) }

    init(_ id: CatalogUploadID) { self.init(high: id.high, low: id.low) }
    init(_ id: ObjectID) { self.init(high: id.high, low: id.low) }
}
