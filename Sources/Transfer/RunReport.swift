// What all threads of a run tell, and ask: how each file ended, and whether to go on.

internal import Synchronization
internal import Trees

final class RunReport: Sendable {
    /// Why no further file is begun.
    enum Stop: Sendable {
        case hopeless(String)
        /// As a signal asked; the exit code that says so.
        case signal(exitCode: Int32)
    }

    let kind: TransferKind
    let isDry: Bool
    /// No line for a file with which all is well.
    let isQuiet: Bool
    let console: Console
    let moved = ByteCounter()
    private let counted = Mutex(TransferCounts())
    private let total = Mutex<ProgressLine.Total?>(nil)
    private let stop = Mutex<Stop?>(nil)
    private let isStopped = Atomic(false)
    private let hasEnded = Atomic(false)

    init(
        _ kind: TransferKind, isDry: Bool = false, isQuiet: Bool = false,
        console: Console = Console()
    ) {
        (self.kind, self.isDry, self.isQuiet, self.console) = (kind, isDry, isQuiet, console)
    }

    var counts: TransferCounts { counted.withLock { $0 } }

    // MARK: Files

    /// `note`: for what did not go as it should.
    func add(_ end: FileEnd, _ path: [UInt8], note: String? = nil) {
        counted.withLock { $0.add(end) }
        switch end {
        case .transferred where isDry && !isQuiet:
            console.say("would have \(kind.past) \(PlainText.of(path))")
        case .transferred, .alreadyThere: break
        case .skipped: say("skipped", path, note)
        case .conflict: say("conflict", path, note)
        case .failed: say("failed", path, note)
        }
    }

    private func say(_ word: String, _ path: [UInt8], _ note: String?) {
        console.say("\(word): \(PlainText.of(path))" + (note.map { ": \($0)" } ?? ""))
    }

    /// Something grows while anything goes on.
    var progress: UInt64 { moved.value &+ UInt64(counts.filesDone) }

    // MARK: The whole

    func expect(_ new: ProgressLine.Total) { total.withLock { $0 = new } }
    var expected: ProgressLine.Total? { total.withLock { $0 } }

    /// The first reason counts.
    func end(because reason: Stop) {
        stop.withLock { if $0 == nil { $0 = reason } }
        isStopped.store(true, ordering: .releasing)
    }

    /// No further file is to be begun.
    var isStopping: Bool { isStopped.load(ordering: .acquiring) }
    var reason: Stop? { stop.withLock { $0 } }

    /// All threads but those that watch are done.
    func finish() { hasEnded.store(true, ordering: .releasing) }
    var isOver: Bool { hasEnded.load(ordering: .acquiring) }
}
