// The door to a store that does not exist yet, for who only asks what would be done.

internal import Files
internal import Trees

final class EmptyDoor: ObjectDoor {
    func find(_ name: [UInt8]) -> Facts? { nil }

    func put(
        _ file: SourceFile, as name: [UInt8], type: String, _ moved: ByteCounter
    ) -> PutEnd {
        preconditionFailure("nothing is put into a store that is not there")
    }

    func holds(
        _ file: OpenFile, byteCount: UInt64, as name: [UInt8], type: String?
    ) -> Bool { false }

    func page(prefix: [UInt8], after: [UInt8]?) -> ObjectPage {
        ObjectPage(objects: [], isLast: true)
    }

    func fetch(_ object: ObjectLine, into file: OpenFile, _ moved: ByteCounter) {
        preconditionFailure("nothing is in a store that is not there")
    }
}
