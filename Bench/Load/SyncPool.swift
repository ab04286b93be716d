/// The threads that make files of a server durable which answers before they are.
///
/// Jobs and replies travel as records over socket pairs, so there is no lock, and the load client
/// receives replies on its ring like everything else.

import BenchMachine
public import BenchMeasure
public import IO

import class Foundation.Thread

public final class SyncPool: Sendable {
    private let jobs: Pipe
    private let answers: Pipe
    private let folders: [Descriptor]

    /// Where `SyncReply` records arrive.
    public var replies: Descriptor { answers.far }

    /// Files are found under `root` by `names`. With `syncsFolders` a file's directory entry is
    /// made durable too; the folders must be there.
    public init(
        root: String, names: ObjectNames, threadCount: Int, syncsFolders: Bool
    ) throws(KernelError) {
        jobs = try Pipe()
        answers = try Pipe()
        var folders: [Descriptor] = []
        for number in 0..<(syncsFolders ? ObjectNames.folderCount : 0) {
            let path = root + names.folder(of: UInt64(number))
            folders.append(try OpenFile.open(path, directory: true))
        }
        self.folders = folders
        for _ in 0..<threadCount {
            let thread = Thread { [jobs, answers, folders] in
                SyncPool.work(jobs.far, answers.near, root: root, names: names, folders: folders)
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
    }

    /// Asks for object `number`; the reply carries `connection`.
    public func submit(connection: Int, number: UInt64) {
        let isSent = Pipe.send(
            SyncJob(number: number, connection: Int32(connection)), to: jobs.near)
        precondition(isSent, "the pool was closed under its user")
    }

    /// Waits for one reply.
    public func nextReply() -> SyncReply {
        guard let reply = Pipe.receive(from: replies, like: SyncReply()) else {
            preconditionFailure("the pool was closed under its user")
        }
        return reply
    }

    /// Ends the threads; no job may be under way.
    public func close() {
        OpenFile.close(jobs.near)
        for folder in folders { OpenFile.close(folder) }
    }

    private static func work(
        _ jobs: Descriptor, _ answers: Descriptor, root: String, names: ObjectNames,
        folders: [Descriptor]
    ) {
        var spent = Clocks.thisThread()
        while let job = Pipe.receive(from: jobs, like: SyncJob()) {
            var reply = SyncReply()
            reply.connection = job.connection
            do throws(KernelError) {
                let file = try OpenFile.open(root + names.path(job.number))
                defer { OpenFile.close(file) }
                try OpenFile.syncData(file)
                if !folders.isEmpty {
                    try OpenFile.syncAll(folders[Int(job.number % UInt64(folders.count))])
                }
            } catch {
                reply.error = error.code
            }
            let now = Clocks.thisThread()
            reply.cpuNanoseconds = now - spent
            spent = now
            guard Pipe.send(reply, to: answers) else { return }
        }
    }
}

private struct SyncJob: BitwiseCopyable {
    var number: UInt64 = 0
    var connection: Int32 = 0
    var unused: Int32 = 0

    init() {}
    init(number: UInt64, connection: Int32) {
        (self.number, self.connection) = (number, connection)
    }
}

/// What became of one file.
public struct SyncReply: BitwiseCopyable, Sendable {
    /// The thread's CPU since its reply before.
    public var cpuNanoseconds: UInt64 = 0
    public var connection: Int32 = 0
    /// 0, or an errno.
    public var error: Int32 = 0

    init() {}

    /// Reads the record back out of received bytes.
    init(_ bytes: RawSpan) {
        let words = Span<UInt64>(_bytes: bytes)
        cpuNanoseconds = words[0]
        connection = Int32(truncatingIfNeeded: words[1])
        error = Int32(truncatingIfNeeded: words[1] >> 32)
    }
}
