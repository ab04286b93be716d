// Files into objects: one thread walks, some bring what it finds, and one counts ahead.

internal import Files
internal import HTTP
internal import Trees

struct ImportRun: Sendable {
    let directory: String
    let names: TreeNames
    /// Where objects lie: not to be imported into themselves.
    let forbidden: FileIdentity?
    let report: RunReport
    let workers: Int
    let showsProgress: Bool
    let makeDoor: @Sendable () -> any ObjectDoor

    /// Files that are open and wait for a worker.
    private static let aheadMax = 64

    func run() throws(TransferFailure) {
        let walk: TreeWalk
        do throws(FileError) { walk = try TreeWalk(directory) } catch {
            throw TransferFailure("\(error)", exitCode: 2)
        }
        let queue = HandOver<SourceFile>(countMax: ImportRun.aheadMax)
        let (movers, watchers) = (RunThreads(), RunThreads())
        defer {
            queue.end()
            movers.join()
            report.finish()
            watchers.join()
        }
        for _ in 0..<workers { try movers.start("millrace-import") { bring(queue) } }
        if showsProgress {
            try watchers.start("millrace-count") { count() }
            try watchers.start("millrace-tell") { report.showProgress() }
        }
        feed(queue, walk)
    }

    // MARK: What is there

    /// Opens file after file, as far ahead as the queue goes.
    private func feed(_ queue: HandOver<SourceFile>, _ walk: TreeWalk) {
        while !report.isStopping, let entry = walk.next() {
            switch entry {
            case .file(let path, let stamp):
                if let fault = fault(of: path) {
                    report.add(.skipped, path, note: fault.description)
                } else {
                    open(path, stamp, walk, queue)
                }
            case .directory(let path, let identity):
                guard let reason = obstacle(to: path, identity) else { continue }
                walk.skipDirectory()
                report.add(.skipped, path, note: reason)
            case .other(let path, let kind):
                report.add(.skipped, path, note: "it is \(kind)")
            case .failed(let path, let error):
                report.add(.failed(bytes: 0), path, note: "\(error)")
            }
        }
    }

    private func open(
        _ path: [UInt8], _ stamp: FileStamp, _ walk: TreeWalk, _ queue: HandOver<SourceFile>
    ) {
        do throws(FileError) {
            let file = try walk.openEntry()
            // Its own word: it may be another one by now.
            let found = SourceFile(path: path, file: file, stamp: file.stamp ?? stamp)
            _ = queue.put(found)
        } catch {
            report.add(.failed(bytes: stamp.byteCount), path, note: "\(error)")
        }
    }

    private func fault(of path: [UInt8]) -> NameFault? {
        do throws(NameFault) {
            _ = try names.object(of: path)
            return nil
        } catch {
            return error
        }
    }

    /// Why a directory is not entered; nil if it is.
    private func obstacle(to path: [UInt8], _ identity: FileIdentity) -> String? {
        if identity == forbidden { return "it is the data directory" }
        do throws(NameFault) {
            try names.enter(path)
            return nil
        } catch {
            return "nothing in it can be an object: \(error)"
        }
    }

    /// Goes through the same names, opens nothing, and tells how much there is.
    private func count() {
        guard let walk = try? TreeWalk(directory) else { return }
        var total = ProgressLine.Total(files: 0, bytes: 0)
        while let entry = walk.next() {
            if report.isStopping || report.isOver { return }
            switch entry {
            case .file(let path, let stamp):
                guard fault(of: path) == nil else { continue }
                total.files += 1
                total.bytes += stamp.byteCount
            case .directory(let path, let identity):
                if obstacle(to: path, identity) != nil { walk.skipDirectory() }
            case .other, .failed: continue
            }
        }
        report.expect(total)
    }

    // MARK: What becomes of it

    /// A worker's life.
    private func bring(_ queue: HandOver<SourceFile>) {
        let door = makeDoor()
        while let file = queue.take() {
            // What is merely open is not under way.
            if report.isStopping { return queue.cut() }
            report.carry(file.path, bytes: file.stamp.byteCount) { () throws(DoorError) in
                try bring(file, door)
            }
        }
    }

    private func bring(
        _ file: SourceFile, _ door: any ObjectDoor
    ) throws(DoorError) -> (FileEnd, String?) {
        let name: [UInt8]
        do throws(NameFault) { name = try names.object(of: file.path) } catch {
            throw .failed("\(error)")
        }
        let bytes = file.stamp.byteCount
        let type = MediaType.guess(name: name.span).type
        let conflict = (FileEnd.conflict(bytes: bytes), "another object has that path")
        switch ImportDecision(file: file.facts, object: try door.find(name)) {
        case .alreadyThere: return (.alreadyThere(bytes: bytes), nil)
        case .conflict: return conflict
        case .compare:
            let isSame = try door.holds(file.file, byteCount: bytes, as: name, type: type)
            return isSame ? (.alreadyThere(bytes: bytes), nil) : conflict
        case .put:
            guard !report.isDry else { return (.transferred(bytes: bytes), nil) }
            switch try door.put(file, as: name, type: type, report.moved) {
            case .published: return (.transferred(bytes: bytes), nil)
            case .conflict: return conflict
            }
        }
    }
}
