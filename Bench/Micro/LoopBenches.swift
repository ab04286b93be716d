// The loop between two turns of its ring: what it costs a handler to wait, besides the kernel's
// part.

import IO
import Loop

extension Microbench {
    static let loop: [Microbench] = [awaitRead]

    private static let awaitRead = Microbench(
        "await-read", "a handler awaits a read of 4 KiB and asks again, 16 of them, played kernel"
    ) { _ in
        let asking = try AskingCore(handlerCount: 16)
        return Work { count in asking.answer(count) }
    }
}

/// Handlers that ask for one read after the other, as those of the storage engine's comparison
/// with fio; the kernel is played on the calling thread.
private final class AskingCore {
    private let loop: EventLoop
    private let asker: Asker
    private var now: UInt64 = 1_000_000_000
    /// What the kernel has been asked and has not answered.
    private var asked = Queue<Token>()

    init(handlerCount: Int) throws {
        let loop = try EventLoop(index: 0)
        self.loop = loop
        asker = Asker(loop: loop)
        loop.attach(ring: nil)
        for number in 0..<handlerCount {
            let block = Region(offset: UInt32(number) * 4096, count: 4096)
            Task(executorPreference: loop) { [asker] in await asker.ask(into: block) }
        }
        turn()
    }

    deinit { loop.detach() }

    /// Answers so many reads; whoever asked has asked for the next by then.
    func answer(_ count: Int) {
        var left = count
        while left > 0 {
            while left > 0, let token = asked.pop() {
                loop.handle(Completion(token: token, result: Asker.blockBytes))
                left -= 1
            }
            turn()
        }
    }

    private func turn() {
        now += 1_000
        loop.runJobs(now: now)
        while let (operation, token) = loop.nextRequest() {
            guard case .read = operation else { preconditionFailure("only reads are asked for") }
            asked.push(token)
        }
        precondition(!asked.isEmpty, "nobody asks any more")
    }
}

private actor Asker {
    static let blockBytes: Int32 = 4096

    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private var readCount: UInt64 = 0

    init(loop: EventLoop) { self.loop = loop }

    /// For ever.
    func ask(into block: Region) async {
        while true {
            let offset = readCount << 12
            let result = await loop.perform(
                .read(file: Descriptor(3), offset: offset, target: block))
            precondition(result == Asker.blockBytes, "the played kernel answers with whole blocks")
            readCount += 1
        }
    }
}
