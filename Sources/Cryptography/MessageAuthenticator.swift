import CTLS

/// HMAC-SHA256 (RFC 2104, FIPS 180-4) under one key, for message after message.
///
/// The key is hashed once; a message then costs no key set-up. One owner uses it, typically one per
/// core, and message by message:
///
///     begin ──▶ update ──▶ … ──▶ update ──▶ finish ──▶ begin …
///
/// Invariant: `isInMessage` exactly between `begin` and `finish`.
@safe
public struct MessageAuthenticator: ~Copyable {
    private let handle: OpaquePointer
    private var isInMessage = false

    /// Takes `key`, of any length from one byte; keys above 64 bytes are hashed
    /// first (RFC 2104 §2).
    public init(key: Span<UInt8>) throws(CryptographyError) {
        guard key.count > 0 else { throw .emptyKey }
        let created = unsafe key.withUnsafeBufferPointer { bytes in
            unsafe ctls_hmac_create(bytes.baseAddress, bytes.count)
        }
        guard let created = unsafe created else { throw .unavailable }
        unsafe handle = created
    }

    deinit { unsafe ctls_hmac_destroy(handle) }

    /// Starts a message.
    public mutating func begin() {
        precondition(!isInMessage, "the message before was not finished")
        isInMessage = true
        let isReady = unsafe ctls_hmac_begin(handle)
        precondition(isReady, "out of memory in libcrypto")
    }

    /// Adds `bytes` to the message; how it is cut into pieces makes no difference.
    public mutating func update(_ bytes: Span<UInt8>) {
        precondition(isInMessage, "no message was begun")
        let isAdded = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe ctls_hmac_update(handle, bytes.baseAddress, bytes.count)
        }
        precondition(isAdded, "out of memory in libcrypto")
    }

    /// Adds one byte, such as the separator between two fields.
    public mutating func update(byte: UInt8) {
        let one: InlineArray<1, UInt8> = [byte]
        update(one.span)
    }

    /// Ends the message and answers its tag.
    public mutating func finish() -> MessageTag {
        precondition(isInMessage, "no message was begun")
        isInMessage = false
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        var target = bytes.mutableSpan
        let isFinished = unsafe target.withUnsafeMutableBufferPointer { target in
            unsafe ctls_hmac_finish(handle, target.baseAddress)
        }
        precondition(isFinished, "out of memory in libcrypto")
        return MessageTag(bytes)
    }

    /// The tag of a message that lies in one piece.
    public mutating func tag(of message: Span<UInt8>) -> MessageTag {
        begin()
        update(message)
        return finish()
    }

    /// The tag of two pieces, as of one message.
    public mutating func tag(of first: Span<UInt8>, _ second: Span<UInt8>) -> MessageTag {
        begin()
        update(first)
        update(second)
        return finish()
    }
}

/// `@unchecked` because of the handle, which has no thread of its own: the value cannot be copied,
/// so it has one owner, and only that owner reaches the handle, through `mutating` functions.
extension MessageAuthenticator: @unchecked Sendable {}
