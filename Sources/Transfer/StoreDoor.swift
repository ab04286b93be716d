// The door to a stopped store: each call is one job of the core that keeps it, for which the
// calling thread waits.

internal import Files
internal import Runtime
internal import Store
internal import Trees

final class StoreDoor: ObjectDoor {
    let keeper: StoreKeeper
    /// As a server notes them of what an operator puts.
    private static let owner = Array("adminToken".utf8)
    private static let tenant = Array("default".utf8)

    init(_ keeper: StoreKeeper) { self.keeper = keeper }

    func find(_ name: [UInt8]) throws(DoorError) -> Facts? {
        try perform { keeper in await keeper.find(name) }
    }

    func put(
        _ file: SourceFile, as name: [UInt8], type: String, _ moved: ByteCounter
    ) throws(DoorError) -> PutEnd {
        let description = UploadDescription(
            name: name, length: file.facts.byteCount, mediaType: Array(type.utf8),
            owner: StoreDoor.owner, tenant: StoreDoor.tenant, modified: file.facts.modified)
        return try perform { keeper in await keeper.put(file, description, moved) }
    }

    func holds(
        _ file: OpenFile, byteCount: UInt64, as name: [UInt8], type: String?
    ) throws(DoorError) -> Bool {
        let type = type.map { Array($0.utf8) }
        return try perform { keeper in
            await keeper.holds(file, byteCount: byteCount, as: name, type: type)
        }
    }

    func page(prefix: [UInt8], after: [UInt8]?) throws(DoorError) -> ObjectPage {
        try perform { keeper in await keeper.page(prefix: prefix, after: after) }
    }

    func fetch(
        _ object: ObjectLine, into file: OpenFile, _ moved: ByteCounter
    ) throws(DoorError) {
        try perform { keeper in await keeper.fetch(object, into: file, moved) }
    }

    private func perform<Answer: Sendable>(
        _ work: @escaping @Sendable (isolated StoreKeeper) async -> Result<Answer, DoorError>
    ) throws(DoorError) -> Answer {
        try keeper.perform(work).get()
    }
}

extension DoorError {
    /// What went wrong on the keeper's core.
    init(_ error: any Error, volumesComeBack: Bool) {
        switch error {
        case let error as DoorError: self = error
        case StoreError.readOnly where volumesComeBack: self = .busy("\(StoreError.readOnly)")
        case let error as StoreError: self.init(store: error)
        default: preconditionFailure("the store throws StoreError, and we throw DoorError")
        }
    }

    private init(store error: StoreError) {
        switch error {
        case .indexBehind, .tooMuchReserved: self = .busy("\(error)")
        case .noSpace: self = .hopeless(DoorError.noSpace)
        case .readOnly, .index, .noDirectAccess, .newerFormat, .otherInstance, .notAVolume,
            .volumeTooLarge:
            self = .hopeless("\(error)")
        case .tooLarge, .corrupt, .unreadable, .kernel, .noDigest: self = .failed("\(error)")
        }
    }

    static let noSpace =
        "no space is left for objects: raise storage.capacity, or make room on the disk"
}
