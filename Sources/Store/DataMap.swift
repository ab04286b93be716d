/// Where the bytes of a large object lie: its extents, one behind the other.

import Volumes

struct DataMap {
    /// A run of bytes that lie in one piece of one volume.
    struct Piece: Equatable {
        let volume: VolumeID
        /// In the volume's file.
        let fileOffset: UInt64
        /// From where the question started.
        let skipped: Int
        let count: Int
    }

    let extents: [Extent]
    /// The first byte behind each extent, counted from the object's start.
    private let ends: [UInt64]

    init(_ extents: [Extent]) {
        self.extents = extents
        var end: UInt64 = 0
        ends = extents.map { extent in
            end += extent.byteCount
            return end
        }
    }

    var byteCount: UInt64 { ends.last ?? 0 }

    /// The pieces that hold `count` bytes from byte `offset` of the object on.
    func pieces(from offset: UInt64, count: Int) -> [Piece] {
        precondition(offset + UInt64(count) <= byteCount, "beyond the object's space")
        var pieces: [Piece] = []
        var index = firstIndex(holding: offset)
        var skipped = 0
        while skipped < count {
            let position = offset + UInt64(skipped)
            let part = Int(min(UInt64(count - skipped), ends[index] - position))
            let extent = extents[index]
            let within = extent.byteCount - (ends[index] - position)
            pieces.append(
                Piece(
                    volume: extent.volume, fileOffset: extent.byteOffset + within,
                    skipped: skipped, count: part))
            skipped += part
            index += 1
        }
        return pieces
    }

    /// The first extent that ends behind `offset`.
    private func firstIndex(holding offset: UInt64) -> Int {
        var (lower, upper) = (0, ends.count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if ends[middle] <= offset { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}

extension SpaceMap {
    /// Where `count` bytes from `offset` on lie; both are whole blocks.
    func writes(at offset: UInt64, count: Int) -> [DataMap.Piece] {
        let blockSize = UInt64(VolumeLayout.blockSize)
        precondition(offset % blockSize == 0 && count % VolumeLayout.blockSize == 0)
        var pieces: [DataMap.Piece] = []
        var skipped = 0
        while skipped < count {
            guard let place = location(ofBlock: (offset + UInt64(skipped)) / blockSize) else {
                preconditionFailure("bytes came for which nothing is reserved")
            }
            let run = UInt64(place.contiguousBlocks) * blockSize
            let part = Int(min(run, UInt64(count - skipped)))
            pieces.append(
                DataMap.Piece(
                    volume: place.volume, fileOffset: place.fileOffset, skipped: skipped,
                    count: part))
            skipped += part
        }
        return pieces
    }
}
