/// Whose blocks are whose among the unfinished uploads that a catalog has.
///
/// An upload's space is used for something else only after the catalog durably has the upload no
/// more: an object that lies in it was made of it.
public struct UploadSpaces: Sendable {
    private struct Run {
        let extent: Extent
        let upload: ObjectID
    }

    /// By ascending address. None overlaps another: no block has two owners.
    private let runs: [Run]

    public init(_ uploads: some Sequence<(id: ObjectID, space: [Extent])>) {
        runs = uploads.flatMap { upload in
            upload.space.map { Run(extent: $0, upload: upload.id) }
        }.sorted { $0.extent.address < $1.extent.address }
    }

    /// The uploads that have blocks of `extents`.
    public func uploads(in extents: [Extent]) -> Set<ObjectID> {
        var found: Set<ObjectID> = []
        for extent in extents {
            var index = runs.partitionIndex { run in
                run.extent.volume > extent.volume
                    || (run.extent.volume == extent.volume && run.extent.end > extent.start)
            }
            while index < runs.count, runs[index].extent.volume == extent.volume,
                runs[index].extent.start < extent.end
            {
                found.insert(runs[index].upload)
                index += 1
            }
        }
        return found
    }
}
