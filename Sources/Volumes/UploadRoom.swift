/// Whether an upload's record has room for what one more chunk may bring, wherever it breaks off.
///
/// Whatever lies ahead leaves room for what goes on where the upload's beginning ends: that can
/// always come, so of however many pieces an upload is, it can be made whole.

extension UploadState {
    /// Writes of one chunk end in any order: those under way at once, the runs on both sides of
    /// them, and one to spare.
    private static let runsPerWriterMax = 11

    func hasRoom(for claim: ChunkClaim) -> Bool {
        let isAhead = claim.offset != offset
        let count = writers.count + (isAhead ? 2 : 1)
        let runs = received.ranges.count + UploadState.runsPerWriterMax * count
        return runs + (isAhead ? 1 : 0) <= UploadRecordLimits.rangesMax
            && checksums.partialUnits.count + 2 * UploadState.runsPerWriterMax * count
                <= UploadRecordLimits.partialUnitsMax
            && space.pieces.count + count <= UploadRecordLimits.piecesMax / 2
            && hasRoomForFragments(of: claim, isAhead: isAhead)
    }

    /// The blocks that may wait for their rest once all writers have ended, this one too. A chunk
    /// that adds none is let in whatever waits: more of those are what makes them fewer.
    private func hasRoomForFragments(of claim: ChunkClaim, isAhead: Bool) -> Bool {
        let end = claim.end ?? max(length ?? bytesMax, claim.offset)
        let added = fragmentsAdded(by: claim.offset..<end)
        let count = writers.reduce(fragments.count + added) { $0 + fragmentsAdded(by: $1.range) }
        return count + (isAhead && added > 0 ? 1 : 0) <= UploadRecordLimits.fragmentsMax
    }

    /// How many more blocks wait for their rest, at most, when bytes of `range` come in order and
    /// break off somewhere: the one that they begin amid, and the one that they end in. Those that
    /// wait already are not more; and where the first bytes make one whole, it is one fewer.
    private func fragmentsAdded(by range: Range<UInt64>) -> Int {
        guard let start = received.firstMissing(in: range) else { return 0 }
        let first = start / UploadState.blockSize
        let blocks = first..<(range.upperBound - 1) / UploadState.blockSize + 1
        let newCount = blocks.count - fragments.keys.count { blocks.contains($0) }
        let edge = first * UploadState.blockSize
        guard newCount > 0 else { return 0 }
        if fragments[first] == nil { return start == edge ? 1 : min(newCount, 2) }
        return received.contains(edge..<start) ? 0 : 1
    }
}
