/// One core's door to the objects. Used only on that core's loop, in the isolation of whoever
/// owns it; reached from nowhere else.

public import IO
public import Loop

public final class ObjectStore {
    public private(set) var statistics = StoreStatistics()

    /// Opens this core's own descriptors of every volume. `memory` is that of `loop`'s core.
    public init(
        loop: EventLoop, memory: CoreMemory, shared: StoreShared
    ) async throws(StoreError) {}

    // MARK: Reading

    /// The newest object under `name`, pinned on this core until `release`. Does not wait.
    public func find(_ name: [UInt8]) throws(StoreError) -> Pinned? { nil }

    public func release(_ pinned: Pinned) {}

    /// False once the object was deleted: what is read of it must not be cached.
    public func isCurrent(_ pinned: Pinned) -> Bool { true }

    /// Reads and verifies an object whose kind is `.small`.
    public func readSmall(_ pinned: Pinned) async throws(StoreError) -> SmallObject {
        throw .noSpace
    }

    /// Reads the record of an object whose kind is `.large`, or remembers it.
    public func describe(_ pinned: Pinned) async throws(StoreError) -> LargeObject {
        throw .noSpace
    }

    /// Reads and verifies bytes from `offset`, a multiple of `StoreLimits.unitBytes`, to the end of
    /// the object or as many whole units as `target` holds (at most
    /// `StoreLimits.transferBytesMax`). Answers how many bytes of the object lie at the front of
    /// `target`; padding may follow them.
    /// `target` is a buffer of at least `StoreLimits.unitBytes`, as leased.
    public func read(
        _ large: LargeObject, offset: UInt64, into target: Region
    ) async throws(StoreError) -> Int { throw .noSpace }

    /// The bytes from `offset` on that lie in one piece of a file and were verified since start;
    /// nil if the unit of `offset` was not.
    public func fileRange(_ large: LargeObject, offset: UInt64) -> FileRange? { nil }

    /// Asks the kernel to have those bytes in the page cache soon.
    public func warm(_ large: LargeObject, offset: UInt64, count: UInt64) async {}

    /// Whether a small object's bytes are those in `received`, and nothing else.
    public func matches(
        _ pinned: Pinned, received: Region
    ) async throws(StoreError) -> Bool { throw .noSpace }

    /// Whether the large object's bytes from `offset`, a multiple of `StoreLimits.unitBytes`, are
    /// those in `received`. The caller compares lengths.
    public func matches(
        _ large: LargeObject, offset: UInt64, received: Region
    ) async throws(StoreError) -> Bool { throw .noSpace }

    // MARK: Writing

    /// Reserves a buffer for an object of at most `StoreLimits.smallBytesMax` bytes.
    public func beginSmall(
        _ description: UploadDescription
    ) async throws(StoreError) -> SmallUpload { throw .noSpace }

    /// Reserves all space of a longer object.
    public func beginLarge(
        _ description: UploadDescription
    ) async throws(StoreError) -> LargeUpload { throw .noSpace }

    /// Deletes what `name` names; false if there was nothing. When it returns, the removal is
    /// durable and no look-up on any core finds the object. `time` is seconds since 1970, UTC.
    public func remove(_ name: [UInt8], at time: UInt64) async throws(StoreError) -> Bool {
        throw .noSpace
    }

    // MARK: Listing

    /// Names that start with `prefix` and are greater than `after`, in the order of their bytes.
    public func list(
        prefix: [UInt8], after: [UInt8]?, limit: Int
    ) throws(StoreError) -> [ListedObject] { [] }

    // MARK: What `StoreCore` forwards

    /// Drops what this core remembers of the object.
    public func forget(name: [UInt8], sequence: UInt64) {}

    public func waitUntilUnpinned(sequence: UInt64) async {}
}
