/// Large bodies that are not in the page cache, on their way into it: a worker of the ring moves
/// pages into one pipe while those of another leave. It costs what bringing them there and sending
/// them afterwards costs, less one walk through the page cache.

import IO
import Loop
import Store

enum PipedOutcome {
    /// So many bytes went out; fewer than there were if the client takes them slower than they
    /// come: the next are in the page cache now.
    case sent(UInt64)
    /// The first of them are not in the page cache: read them another way.
    case notBrought
    /// The connection is broken.
    case gone
}

extension Core {
    /// After so many bytes it is looked whether the next are in the page cache.
    private static let pipedBytesMax: UInt64 = 64 << 20
    /// One is emptied while others are filled: a disk is faster with several reads to do. Of a
    /// gigabyte that is cold two bring 1.7 GB/s where four bring 1.95.
    private static let pipeDepth = 4

    /// Sends verified bytes of `range` from the first on. Not all: see `PipedOutcome`.
    func sendPiped(
        _ slot: Int, _ large: LargeSegment, _ range: Range<UInt64>, _ store: ObjectStore
    ) async -> PipedOutcome {
        // As fast as the disk and the client are.
        easePressure(slot)
        let start = range.lowerBound
        let end = min(range.upperBound, start + Core.pipedBytesMax)
        var (position, next) = (start, start)
        var reads: [PipedRead] = []
        var outcome: PipedOutcome?
        while outcome == nil, position < end {
            while reads.count < Core.pipeDepth,
                let read = await store.startPiping(
                    large, from: next, before: end, isSpare: !reads.isEmpty)
            {
                reads.append(read)
                next = read.end
            }
            guard !reads.isEmpty else { break }
            let read = reads.removeFirst()
            let arrived = await store.finishPiping(read)
            let sent = await send(slot, from: read.source, count: arrived)
            await store.endPiping(read, left: arrived - (sent ?? 0))
            position += UInt64(sent ?? 0)
            if sent == nil {
                outcome = .gone
            } else if sent != read.count {
                outcome = arrived == 0 && position == start ? .notBrought : .sent(position - start)
            }
        }
        for read in reads {
            let arrived = await store.finishPiping(read)
            await store.endPiping(read, left: arrived)
        }
        return outcome ?? (position == start ? .notBrought : .sent(position - start))
    }

    /// Answers how many bytes the socket takes now; nil if the connection is broken.
    private func send(_ slot: Int, from pipe: Descriptor, count: Int) async -> Int? {
        var left = count
        while left > 0 {
            guard !connections[slot].flags.contains(.ending) else { return nil }
            let result = await performSend(
                .sendPipe(pipe: pipe, socket: connections[slot].socket, count: UInt32(left)))
            if KernelError(result: result) == .wouldBlock { break }
            guard result > 0 else {
                counters.connectionErrors += 1
                end(slot)
                return nil
            }
            left -= Int(result)
            noteSent(file: UInt64(result))
            passed(slot, Int(result))
        }
        return count - left
    }
}
