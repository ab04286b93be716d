/// Brings file pages into the page cache without copying them: the kernel moves them into a pipe
/// (splice(2), on a worker of the ring, which may wait for the disk); from there they go to a
/// socket, or are dropped.
/// Read-ahead makes large folios of them, which sendfile hands to the network in larger pieces;
/// POSIX_FADV_WILLNEED would fill the cache with single pages. Measured for a GB of a cold object:
/// 0.15 s of CPU through pipes into the socket, 0.16 to 0.2 by dropping it and sendfile, 0.25 by
/// O_DIRECT, 0.39 by reading it into memory here (row `get-1g-cold`; perf/README.md, "Two programs
/// of ours").

import Checksums
import IO
import Loop

final class PageFiller {
    struct Pipe {
        let reading: Descriptor
        fileprivate let writing: Descriptor
        /// How many bytes it holds.
        let bytes: Int
    }

    private let loop: EventLoop
    private let memory: CoreMemory
    private var idle: [Pipe] = []
    private var openCount = 0
    private var line: [Ticket] = []
    /// Who was in line and is woken, but has not taken its pipe yet: so many are not free.
    private var wokenCount = 0

    /// As many fills at once; each occupies a worker while it waits for the disk.
    private static let pipesMax = 8
    /// What an unprivileged process may ask for (/proc/sys/fs/pipe-max-size).
    private static let pipeBytes: UInt32 = 1 << 20

    init(loop: EventLoop, memory: CoreMemory) { (self.loop, self.memory) = (loop, memory) }

    /// False if not all of it could be brought: whoever wants the bytes reads them another way, and
    /// learns the reason there.
    func fill(_ file: Descriptor, offset: UInt64, count: Int) async -> Bool {
        guard let pipe = await take() else { return false }
        var (done, isClean) = (0, true)
        while isClean, done < count {
            let step = min(count - done, pipe.bytes)
            let moved = await loop.answer(
                start(pipe, file, offset: offset + UInt64(done), count: step))
            guard moved > 0 else { break }
            isClean = await drop(Int(moved), from: pipe)
            done += Int(moved)
        }
        await giveBack(pipe, isClean: isClean)
        return done == count
    }

    /// Begins to move pages into an empty pipe; at most as many bytes as it holds. The answer is
    /// how many came, or an error.
    func start(_ pipe: Pipe, _ file: Descriptor, offset: UInt64, count: Int) -> Ticket {
        loop.start(
            .splice(
                source: file, sourceOffset: offset, target: pipe.writing, targetOffset: nil,
                count: UInt32(count)))
    }

    /// Whether that left the pipe empty.
    func drop(_ count: Int, from pipe: Pipe) async -> Bool {
        guard count > 0 else { return true }
        let dropped = await loop.perform(.discard(pipe: pipe.reading, count: UInt32(count)))
        return dropped == Int32(count)
    }

    /// A pipe; waits for one if all are in use. Nil: none can be made.
    func take() async -> Pipe? {
        if freeCount <= wokenCount {
            let ticket = loop.makeTicket()
            line.append(ticket)
            _ = await loop.answer(ticket)
            wokenCount -= 1
        }
        return await takeFree()
    }

    /// A pipe, if nobody waits for one.
    func takeSpare() async -> Pipe? {
        freeCount > wokenCount ? await takeFree() : nil
    }

    /// Those that can be had at once, open or not.
    private var freeCount: Int { idle.count + PageFiller.pipesMax - openCount }

    private func takeFree() async -> Pipe? {
        if let pipe = idle.popLast() { return pipe }
        return await openPipe()
    }

    private func openPipe() async -> Pipe? {
        openCount += 1
        let buffer = await memory.buffer(8)
        defer { memory.giveBack(buffer: buffer) }
        let ends = buffer.part(from: 0, count: 8)
        let result = await loop.perform(.openPipe(count: PageFiller.pipeBytes, ends: ends))
        guard result > 0 else {
            openCount -= 1
            wakeOne()
            return nil
        }
        let bytes = memory.arena.bytes(ends)
        return Pipe(
            reading: Descriptor(bytes.integer(at: 0)), writing: Descriptor(bytes.integer(at: 4)),
            bytes: Int(result))
    }

    /// A pipe with something left in it serves nobody any more.
    func giveBack(_ pipe: Pipe, isClean: Bool) async {
        if isClean {
            idle.append(pipe)
        } else {
            await close(pipe)
        }
        wakeOne()
    }

    private func wakeOne() {
        guard !line.isEmpty, freeCount > wokenCount else { return }
        wokenCount += 1
        loop.wake(line.removeFirst())
    }

    private func close(_ pipe: Pipe) async {
        openCount -= 1
        _ = await loop.perform(.close(pipe.reading))
        _ = await loop.perform(.close(pipe.writing))
    }

    /// Nothing may be in progress.
    func close() async {
        while let pipe = idle.popLast() { await close(pipe) }
    }
}
