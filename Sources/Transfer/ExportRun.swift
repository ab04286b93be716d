// Objects into files: one thread lists, some fetch what it finds, and one counts ahead.

internal import Files
internal import Trees

struct ExportRun: Sendable {
    let names: TreeNames
    /// Nil where nothing is there yet and nothing is to be made.
    let target: TreeTarget?
    let overwrites: Bool
    let report: RunReport
    let workers: Int
    let showsProgress: Bool
    let makeDoor: @Sendable () -> any ObjectDoor

    private static let aheadMax = 2 * ObjectPage.objectsMax

    func run() throws(TransferFailure) {
        try move()
        do throws(FileError) { try target?.finish() } catch {
            report.end(because: .hopeless("what was exported may not be durable: \(error)"))
        }
    }

    private func move() throws(TransferFailure) {
        let queue = HandOver<ObjectLine>(countMax: ExportRun.aheadMax)
        let (movers, watchers) = (RunThreads(), RunThreads())
        defer {
            queue.end()
            movers.join()
            report.finish()
            watchers.join()
        }
        for _ in 0..<workers { try movers.start("millrace-export") { fetch(queue) } }
        if showsProgress {
            try watchers.start("millrace-count") { count() }
            try watchers.start("millrace-tell") { report.showProgress() }
        }
        list { queue.put($0) }
    }

    // MARK: What is there

    /// All objects below the prefix, until `take` wants no more.
    private func list(_ take: (ObjectLine) -> Bool) {
        let door = makeDoor()
        var after: [UInt8]?
        var patience = Patience()
        while !report.isStopping {
            let page: ObjectPage
            do throws(DoorError) {
                page = try door.page(prefix: names.prefix, after: after)
            } catch {
                if case .busy = error, let pause = patience.next(progress: report.progress) {
                    RunReport.pause(milliseconds: pause)
                    continue
                }
                return report.end(because: .hopeless(error.reason))
            }
            for line in page.objects where !take(line) { return }
            guard !page.isLast, let last = page.objects.last else { return }
            after = last.name
        }
    }

    private func count() {
        var total = ProgressLine.Total(files: 0, bytes: 0)
        list { line in
            total.files += 1
            total.bytes += line.facts.byteCount
            return !report.isOver
        }
        if !report.isStopping, !report.isOver { report.expect(total) }
    }

    // MARK: What becomes of it

    /// A worker's life.
    private func fetch(_ queue: HandOver<ObjectLine>) {
        let door = makeDoor()
        while let line = queue.take() {
            if report.isStopping { return queue.cut() }
            report.carry(line.name, bytes: line.facts.byteCount) { () throws(DoorError) in
                try fetch(line, door)
            }
        }
    }

    private func fetch(
        _ line: ObjectLine, _ door: any ObjectDoor
    ) throws(DoorError) -> (FileEnd, String?) {
        let path: [UInt8]
        do throws(NameFault) { path = try names.path(of: line.name) } catch {
            return (.skipped, "\(error)")
        }
        let bytes = line.facts.byteCount
        let (present, what) = try present(path)
        let decision = ExportDecision(
            object: line.facts, present: present, overwrites: overwrites)
        switch decision {
        case .alreadyThere: return (.alreadyThere(bytes: bytes), nil)
        case .conflict: return (.conflict(bytes: bytes), "\(what) has that name")
        case .compare:
            guard let target else { return (.conflict(bytes: bytes), nil) }
            let file = try asked { () throws(FileError) in try target.open(path) }
            let isSame = try door.holds(file, byteCount: bytes, as: line.name, type: nil)
            return isSame
                ? (.alreadyThere(bytes: bytes), nil)
                : (.conflict(bytes: bytes), "another file has that name")
        case .write, .replace:
            guard !report.isDry, let target else { return (.transferred(bytes: bytes), nil) }
            return try write(line, to: path, target, door, replaces: decision == .replace)
        }
    }

    private func write(
        _ line: ObjectLine, to path: [UInt8], _ target: TreeTarget, _ door: any ObjectDoor,
        replaces: Bool
    ) throws(DoorError) -> (FileEnd, String?) {
        let bytes = line.facts.byteCount
        let unfinished = try asked { () throws(FileError) in try target.begin() }
        do throws(DoorError) {
            try door.fetch(line, into: unfinished.file, report.moved)
        } catch {
            target.discard(unfinished)
            throw error
        }
        do throws(FileError) {
            try target.place(
                unfinished, at: path, modifiedSeconds: Int64(clamping: line.facts.modified),
                replaces: replaces)
        } catch {
            guard error.isTaken else { throw DoorError(error) }
            return (.conflict(bytes: bytes), "something got that name meanwhile")
        }
        return (.transferred(bytes: bytes), nil)
    }

    private func present(
        _ path: [UInt8]
    ) throws(DoorError) -> (ExportDecision.Present, what: String) {
        guard let target else { return (.nothing, "") }
        switch try asked({ () throws(FileError) in try target.kind(of: path) }) {
        case nil: return (.nothing, "")
        case .regular(let stamp):
            let facts = Facts(byteCount: stamp.byteCount, fileModified: stamp.modifiedSeconds)
            return (.file(facts), "another file")
        case .some(let kind): return (.other, "\(kind)")
        }
    }

    private func asked<Answer>(
        _ question: () throws(FileError) -> Answer
    ) throws(DoorError) -> Answer {
        do throws(FileError) { return try question() } catch { throw DoorError(error) }
    }
}
