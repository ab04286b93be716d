// Programs that tests start: their output goes into a file, and none outlives the test run.

import Foundation
import Glibc
import Synchronization
import Testing

/// A started program.
final class ChildProcess: Sendable {
    let identifier: pid_t
    private let status = Mutex<Int32?>(nil)

    /// Starts `program` with standard output and standard error in the file at `output`.
    init(_ program: String, _ arguments: [String], output: String) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { word in
            unsafe strdup(word)
        }
        unsafe words.append(nil)
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var started: pid_t = 0
        let result = unsafe posix_spawnp(&started, program, &actions, nil, words, environ)
        guard result == 0 else { throw Problem("\(program) cannot be started: errno \(result)") }
        identifier = started
        Children.shared.add(started)
    }

    deinit { end(SIGKILL) }

    /// The exit status, 128 + n for signal n; nil while it runs.
    var exitStatus: Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard unsafe waitpid(identifier, &raw, WNOHANG) == identifier else { return nil }
            let signal = raw & 0x7f
            status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
            Children.shared.remove(identifier)
            return status
        }
    }

    func signal(_ number: Int32) {
        if exitStatus == nil { kill(identifier, number) }
    }

    /// Sends the signal and waits for the end.
    @discardableResult
    func end(_ number: Int32, withinSeconds seconds: Double = 20) -> Int32? {
        signal(number)
        _ = eventually(withinSeconds: seconds) { exitStatus != nil }
        return exitStatus
    }

    /// Waits for it to end by itself.
    func wait(withinSeconds seconds: Double = 30) -> Int32? {
        _ = eventually(withinSeconds: seconds) { exitStatus != nil }
        return exitStatus
    }
}

/// What went wrong in a test's own machinery.
struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Polls until `condition` holds; false if it never did within that time.
func eventually(withinSeconds seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool
{
    let deadline = Date().addingTimeInterval(seconds)
    while try !condition() {
        if Date() > deadline { return false }
        usleep(5_000)
    }
    return true
}

/// What must not be left behind when the test run ends, however it ends short of a kill.
final class Children: Sendable {
    static let shared = Children()
    private let running = Mutex<Set<pid_t>>([])
    private let directories = Mutex<Set<String>>([])

    private init() { atexit { Children.shared.endAll() } }

    func add(_ identifier: pid_t) { _ = running.withLock { $0.insert(identifier) } }
    func remove(_ identifier: pid_t) { _ = running.withLock { $0.remove(identifier) } }
    func add(directory: String) { _ = directories.withLock { $0.insert(directory) } }
    func remove(directory: String) { _ = directories.withLock { $0.remove(directory) } }

    private func endAll() {
        for identifier in running.withLock({ $0 }) {
            kill(identifier, SIGKILL)
            var status: Int32 = 0
            unsafe waitpid(identifier, &status, 0)
        }
        for directory in directories.withLock({ $0 }) {
            try? FileManager.default.removeItem(atPath: directory)
        }
    }
}

/// A directory beside the build, because /tmp may be a file system without O_DIRECT.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path = Programs.directory + "/end-to-end/" + UUID().uuidString
        Children.shared.add(directory: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        Children.shared.remove(directory: path)
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}

/// Where the programs of this build are.
enum Programs {
    /// Beside the running test program.
    static let directory: String = {
        let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: program ?? ".").deletingLastPathComponent().path
    }()

    static let millrace = directory + "/millrace"

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], withinSeconds seconds: Double = 60
    ) throws -> (status: Int32, output: String) {
        let scratch = try ScratchDirectory()
        let child = try ChildProcess(program, arguments, output: scratch.path + "/output")
        guard let status = child.wait(withinSeconds: seconds) else {
            throw Problem("\(program) \(arguments) does not end")
        }
        return (status, String(decoding: try scratch.read("output"), as: UTF8.self))
    }
}
