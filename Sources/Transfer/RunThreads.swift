// The threads of a run: some that move files, and two that only watch.

internal import Foundation
internal import IO
internal import Runtime
internal import Trees

/// To be joined, however the run goes.
final class RunThreads {
    private var threads: [Joinable] = []

    /// `body` runs on a thread of its own.
    func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(TransferFailure) {
        do throws(KernelError) {
            threads.append(Joinable(try CoreThread.start(name: name, cpu: nil, body)))
        } catch {
            throw TransferFailure("no thread can be started: errno \(error.code)", exitCode: 1)
        }
    }

    func join() {
        for thread in threads { thread.join() }
        threads = []
    }

    private final class Joinable {
        private var thread: CoreThread?
        init(_ thread: consuming CoreThread) { self.thread = consume thread }
        func join() { thread.take()?.join() }
    }
}

/// Why a run could not begin; or what it was asked for that makes no sense (2).
public struct TransferFailure: Error, Equatable, Sendable {
    public let text: String
    public let exitCode: Int32

    init(_ text: String, exitCode: Int32) { (self.text, self.exitCode) = (text, exitCode) }
}

extension RunReport {
    /// Tells how far the run is, until it is over: ten times a second on a terminal, every five
    /// seconds elsewhere.
    func showProgress() {
        let stepSeconds = 0.1
        let plainSteps = 50
        var (line, step) = (ProgressLine(), 0)
        while !isOver {
            Thread.sleep(forTimeInterval: stepSeconds)
            step += 1
            guard console.columns != nil || step % plainSteps == 0 else { continue }
            let text = line.text(
                counts, bytesMoved: moved.value, total: expected,
                at: CoreDriver.monotonicNanoseconds() / 1_000_000,
                columns: console.columns.map { $0 - 1 })
            if console.columns == nil { console.say(text) } else { console.show(text) }
        }
        console.clear()
    }

    /// Sees one file through to its end, however busy the store is meanwhile.
    func carry(
        _ path: [UInt8], bytes: UInt64, _ attempt: () throws(DoorError) -> (FileEnd, String?)
    ) {
        var patience = Patience()
        while true {
            do throws(DoorError) {
                let (end, note) = try attempt()
                return add(end, path, note: note)
            } catch {
                switch error {
                case .failed(let reason):
                    return add(.failed(bytes: bytes), path, note: reason)
                case .hopeless(let reason):
                    end(because: .hopeless(reason))
                    return add(.failed(bytes: bytes), path, note: reason)
                case .busy(let reason):
                    guard !isStopping, let pause = patience.next(progress: progress) else {
                        end(because: .hopeless(reason))
                        return add(.failed(bytes: bytes), path, note: reason)
                    }
                    RunReport.pause(milliseconds: pause)
                }
            }
        }
    }

    static func pause(milliseconds: UInt64) {
        Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
    }
}
