/// Large objects through pipes: a worker of the ring waits for the disk, and what comes is sent
/// from where it is.

public import IO
import Loop

/// Bytes of an object on their way into a pipe. Ends with `ObjectStore.endPiping`.
public struct PipedRead {
    /// The first byte in its segment.
    public let offset: UInt64
    public let count: Int
    public var end: UInt64 { offset + UInt64(count) }
    /// Where the bytes can be taken once `finishPiping` has answered.
    public var source: Descriptor { pipe.reading }
    fileprivate let pipe: PageFiller.Pipe
    fileprivate let ticket: Ticket
}

extension ObjectStore {
    /// Asks for bytes from `offset` on that lie in one piece of a file and were verified since
    /// start, before `end` and as many as a pipe holds. Waits for a pipe, or with `isSpare` answers
    /// nil if none is free. Nil also if the byte at `offset` was not verified.
    public func startPiping(
        _ large: LargeSegment, from offset: UInt64, before end: UInt64, isSpare: Bool
    ) async -> PipedRead? {
        precondition(end <= large.length)
        guard offset < end, large.verifiedEnd(from: offset, before: offset + 1) > offset,
            let pipe = isSpare ? await pages.takeSpare() : await pages.take()
        else { return nil }
        let most = min(end, offset + UInt64(pipe.bytes))
        let last = large.verifiedEnd(from: offset, before: most)
        let piece = large.map.pieces(from: offset, count: Int(last - offset))[0]
        guard let file = files.opened(piece.volume) else {
            await pages.giveBack(pipe, isClean: true)
            return nil
        }
        let ticket = pages.start(
            pipe, file.buffered, offset: piece.fileOffset, count: piece.count)
        return PipedRead(offset: offset, count: piece.count, pipe: pipe, ticket: ticket)
    }

    /// Waits for the pages; answers how many bytes came, from the first on. Fewer if they could not
    /// be read: read another way, they say why.
    public func finishPiping(_ read: PipedRead) async -> Int {
        let start = loop.now
        defer { countWait(.disk, since: start) }
        return max(0, Int(await loop.answer(read.ticket)))
    }

    /// Gives the pipe back, with `left` bytes still in it.
    public func endPiping(_ read: PipedRead, left: Int) async {
        let isEmpty = await pages.drop(left, from: read.pipe)
        await pages.giveBack(read.pipe, isClean: isEmpty)
    }
}
