// One thread's way to the objects, wherever they are: the files of a stopped store, or a server.

internal import Files
internal import Synchronization
internal import Trees

/// A file that is to become an object, open, as it was found.
struct SourceFile: Sendable {
    /// Below the directory.
    let path: [UInt8]
    let file: OpenFile
    let stamp: FileStamp

    var facts: Facts {
        Facts(byteCount: stamp.byteCount, fileModified: stamp.modifiedSeconds)
    }

    /// Whether what was read since is one state of the file.
    var isUnchanged: Bool { file.stamp == stamp }

    static let changed = DoorError.failed("it changed while it was read")
}

/// A line of the list of objects.
struct ObjectLine: Equatable, Sendable {
    let name: [UInt8]
    let facts: Facts
}

struct ObjectPage: Equatable, Sendable {
    let objects: [ObjectLine]
    let isLast: Bool

    static let objectsMax = 1000
}

enum PutEnd: Equatable, Sendable {
    /// Published; or the same bytes with the same type were there.
    case published
    /// Another object has the name.
    case conflict
}

enum DoorError: Error, Equatable, Sendable {
    /// Not now; later, when other files are done, it may work.
    case busy(String)
    /// This file cannot be had, or not be stored.
    case failed(String)
    /// No file can.
    case hopeless(String)

    var reason: String {
        switch self {
        case .busy(let reason), .failed(let reason), .hopeless(let reason): reason
        }
    }
}

protocol ObjectDoor: AnyObject {
    func find(_ name: [UInt8]) throws(DoorError) -> Facts?

    /// Durable when it returns.
    func put(
        _ file: SourceFile, as name: [UInt8], type: String, _ moved: ByteCounter
    ) throws(DoorError) -> PutEnd

    /// Whether the object has these bytes, and that type if one is given.
    func holds(
        _ file: OpenFile, byteCount: UInt64, as name: [UInt8], type: String?
    ) throws(DoorError) -> Bool

    /// Names that begin with `prefix` and are greater than `after`, in the order of their bytes.
    func page(prefix: [UInt8], after: [UInt8]?) throws(DoorError) -> ObjectPage

    /// Writes the object's bytes, each compared with its checksum, to the front of `file`.
    func fetch(
        _ object: ObjectLine, into file: OpenFile, _ moved: ByteCounter
    ) throws(DoorError)
}

/// Counts what has gone through, for whoever watches.
final class ByteCounter: Sendable {
    private let count = Atomic<UInt64>(0)

    func add(_ bytes: Int) { count.wrappingAdd(UInt64(bytes), ordering: .relaxed) }
    var value: UInt64 { count.load(ordering: .relaxed) }
}

extension DoorError {
    /// What a file that is read or written said.
    init(_ error: FileError) {
        self = error.isLasting ? .hopeless("\(error)") : .failed("\(error)")
    }
}
