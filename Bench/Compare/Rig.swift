// What every row works with: client, source file, options.

import BenchLoad
import BenchMachine
import BenchMeasure
import IO

/// What every row works with, and how objects get onto servers before the rounds.
final class Rig {
    var client: LoadLoop
    let options: Options
    /// Nil if no row needs it.
    let source: SourceFile?
    /// Nil in a quick run, and without uploads.
    let pageCache: PageCache?
    /// A directory on the file system under test.
    let disk: Descriptor

    /// As many pages more than the largest body as bodies of the same size are to differ.
    private static let sourceMore = 1 << 20
    /// Ranges of a large object that are compared before any is counted.
    private static let rangesCompared = 64
    private static let rangeCount = 16 << 10
    /// So much of a file may stay when its pages are dropped: some that the kernel is just using.
    private static let residentMax = 1 << 20

    init(_ options: Options, _ place: Place) throws {
        self.options = options
        client = try LoadLoop()
        disk = try OpenFile.open(place.directory, directory: true)
        let needsSource = options.rows.contains { row in
            let isSmall = Objects.isSmall(row.size.byteCount(large: options.largeCount))
            return !isSmall || row.work == .getBesideCold
        }
        source =
            try needsSource
            ? SourceFile(
                path: place.outside + "/source", count: options.largeCount + Rig.sourceMore,
                seed: Objects.sourceSeed) : nil
        let fillsMemory = options.rows.contains(where: \.hasUploads) && !options.isQuick
        pageCache = try fillsMemory ? PageCache(path: place.outside + "/hole") : nil
    }

    deinit { OpenFile.close(disk) }

    func fileObjects(_ names: ObjectNames, _ byteCount: Int) -> FileObjects {
        guard let source else { preconditionFailure("a row of large bodies without their source") }
        return FileObjects(names: names, bodyCount: byteCount, source: source)
    }

    /// Puts the small objects of this size on the server and compares them, unless that is done.
    /// Answers the bytes of each whole response.
    func fillSmall(_ subject: Subject, _ byteCount: Int) throws -> [Int] {
        if let counts = subject.responseCounts[byteCount] { return counts }
        let objects = Objects.smallGets(byteCount)
        let numbers = 0..<UInt64(Objects.count(byteCount))
        if subject.side.takesUploads {
            _ = try client.put(objects, numbers, LoadPlan(subject.server, connections: 64))
        } else {
            for number in numbers {
                let body = objects.pattern.bytes(byteCount, number: number)
                try write(number, of: objects.names, to: subject) { file throws(KernelError) in
                    try OpenFile.write(body, to: file, at: 0)
                }
            }
        }
        let counts = try client.readBack(objects, numbers, from: subject.server)
        subject.responseCounts[byteCount] = counts
        return counts
    }

    /// Puts objects `0..<count` whose bodies stand in the source on the server and compares them,
    /// those that are not there yet.
    func fill(_ subject: Subject, _ size: Row.Size, count: Int) throws {
        let names = Objects.getNames(size)
        let byteCount = size.byteCount(large: options.largeCount)
        let objects = fileObjects(names, byteCount)
        let folder = names.folder(of: 0)
        let first = subject.filledCounts[folder, default: 0]
        guard first < count else { return }
        let numbers = UInt64(first)..<UInt64(count)
        if subject.side.takesUploads {
            let plan = LoadPlan(subject.server, connections: 1)
            _ = try client.put(objects, numbers, expectsContinue: size == .large, plan)
        } else {
            for number in numbers {
                let part = objects.source.part(of: number, count: byteCount)
                try write(number, of: names, to: subject) { file throws(KernelError) in
                    try OpenFile.copy(part.file, from: part.offset, count: part.count, to: file)
                }
            }
        }
        var transfer = try LargeTransfer(to: subject.server, names: names)
        for number in numbers {
            try transfer.compare(number, bodyCount: byteCount, with: objects.source)
        }
        subject.filledCounts[folder] = count
        guard size == .large else { return }
        var random = SplitMix64(seed: Objects.sourceSeed)
        for _ in 0..<Rig.rangesCompared {
            let start = Int.random(in: 0...byteCount - Rig.rangeCount, using: &random)
            try transfer.compare(
                0, bodyCount: byteCount, range: start..<start + Rig.rangeCount,
                with: objects.source)
        }
    }

    /// Drops the pages that hold the server's large objects `0..<count`, and looks whether they
    /// are gone.
    func dropPages(_ subject: Subject, count: Int) throws {
        try OpenFile.syncFileSystem(disk)
        let names = Objects.getNames(.large)
        let paths: [String] =
            switch subject.storage {
            case .tree(let root): (0..<UInt64(count)).map { root + names.path($0) }
            case .volumes(let directory):
                TextFile.names(in: directory).filter { $0.hasPrefix("large-") }
                    .map { directory + "/" + $0 }
            }
        guard !paths.isEmpty else { throw BenchError("\(subject.side.rawValue) has no files") }
        for path in paths {
            let file = try OpenFile.open(path)
            defer { OpenFile.close(file) }
            let left = try OpenFile.dropPages(file)
            guard left <= Rig.residentMax else {
                throw BenchError("\(left >> 10) KiB of \(path) stay in the page cache")
            }
        }
    }

    private func write(
        _ number: UInt64, of names: ObjectNames, to subject: Subject,
        _ content: (Descriptor) throws(KernelError) -> Void
    ) throws {
        guard let root = subject.root else {
            preconditionFailure("a server without a directory that takes no uploads")
        }
        let file = try OpenFile.create(root + names.path(number))
        defer { OpenFile.close(file) }
        try content(file)
    }
}
