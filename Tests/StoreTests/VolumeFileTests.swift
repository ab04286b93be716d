// Goal:   a flush serves all whose writes had ended when it was asked for, and nobody else; what
//         fails, fails for all who wait.
// Method: the test is the kernel, on the loop's own thread.

import Catalog
import IO
import Loop
import Testing
import Volumes

@testable import Store

/// One volume whose writes and flushes the test answers.
private final class VolumeBed {
    enum Outcome: Equatable { case durable, failed(StoreError) }

    let loop: EventLoop
    let state: StoreState
    let file: VolumeFile
    private var requests: [EventLoop.Request] = []
    /// In the order in which they ended, by the number of the upload.
    private(set) var outcomes: [Int: Outcome] = [:]
    let events = EventLog()

    init() throws {
        loop = try EventLoop(index: 0)
        let events = events
        let setup = StoreSetup(
            directory: Descriptor(3), instance: World.instance, sealKey: [1],
            catalog: MemoryCatalog(instance: World.instance), capacityBytes: 1 << 30,
            volumeBytes: 256 << 20, report: { events.append($0) })
        state = StoreState(setup, faults: [])
        file = VolumeFile(
            VolumeID(0), direct: Descriptor(7), buffered: Descriptor(8), loop: loop, state: state)
        loop.attach(ring: nil)
    }

    func end() { loop.detach() }

    /// Begins `number`: 4 KiB at that block.
    func begin(_ number: Int) {
        let bed = Box(self)
        Task(executorPreference: loop) {
            let region = Region(offset: 0, count: 4096)
            let outcome = await bed.value.file.writeDurably(region, at: UInt64(number) << 12)
            bed.value.outcomes[number] = outcome.error.map { .failed($0) } ?? .durable
        }
    }

    /// A flush by itself, as large uploads and removals ask for.
    func flush(_ number: Int) {
        let bed = Box(self)
        Task(executorPreference: loop) {
            do throws(StoreError) {
                try await bed.value.file.flush(since: .start)
                bed.value.outcomes[number] = .durable
            } catch {
                bed.value.outcomes[number] = .failed(error)
            }
        }
    }

    func turn() {
        repeat {
            loop.runJobs(now: 1)
            while let request = loop.nextRequest() { requests.append(request) }
        } while loop.hasJobs
    }

    /// Answers the write of `number`, if it was asked for.
    func wrote(_ number: Int, _ result: Int32 = 4096) {
        answer(result) {
            if case .write(_, UInt64(number) << 12, _) = $0 { true } else { false }
        }
    }

    func flushed(_ result: Int32 = 0) {
        answer(result) { if case .sync = $0 { true } else { false } }
    }

    var flushesAsked: Int {
        requests.count { if case .sync = $0.operation { true } else { false } }
    }

    private func answer(_ result: Int32, _ isMeant: (Operation) -> Bool) {
        guard let index = requests.firstIndex(where: { isMeant($0.operation) }) else {
            Issue.record("nobody asked for that")
            return
        }
        loop.handle(Completion(token: requests.remove(at: index).token, result: result))
    }
}

@Suite struct `A volume's flush` {
    private let bed: VolumeBed

    init() throws { bed = try VolumeBed() }

    @Test func `serves all whose writes ended in one turn`() {
        defer { bed.end() }
        for number in 0..<5 { bed.begin(number) }
        bed.turn()
        #expect(bed.flushesAsked == 0)
        for number in 0..<4 { bed.wrote(number) }
        bed.turn()
        #expect(bed.flushesAsked == 1 && bed.outcomes.isEmpty)
        bed.flushed()
        bed.turn()
        #expect(bed.outcomes.keys.sorted() == [0, 1, 2, 3])
        #expect(bed.outcomes.values.allSatisfy { $0 == .durable })
        #expect(bed.flushesAsked == 0)
        #expect(bed.file.flushCount == 1 && bed.file.flushedCount == 4)
        bed.wrote(4)
        bed.turn()
        bed.flushed()
        bed.turn()
        #expect(bed.outcomes[4] == .durable && bed.loop.ticketsOutstanding == 0)
    }

    @Test func `does not serve a write that ends while it runs`() {
        defer { bed.end() }
        for number in 0..<2 { bed.begin(number) }
        bed.turn()
        bed.wrote(0)
        bed.turn()
        bed.wrote(1)
        bed.flush(2)
        bed.turn()
        #expect(bed.flushesAsked == 1)
        bed.flushed()
        bed.turn()
        #expect(bed.outcomes == [0: .durable] && bed.flushesAsked == 1)
        bed.flushed()
        bed.turn()
        #expect(bed.outcomes == [0: .durable, 1: .durable, 2: .durable])
        #expect(bed.flushesAsked == 0 && bed.file.flushCount == 2)
    }

    @Test func `that fails, fails for those behind it as well`() {
        defer { bed.end() }
        for number in 0..<3 { bed.begin(number) }
        bed.turn()
        bed.wrote(0)
        bed.turn()
        bed.wrote(1)
        bed.turn()
        bed.flushed(-5)
        bed.turn()
        #expect(bed.outcomes == [0: .failed(.readOnly), 1: .failed(.readOnly)])
        // One that was on its way then is too late, whatever became of it.
        bed.wrote(2)
        bed.begin(3)
        bed.flush(4)
        bed.turn()
        #expect([2, 3, 4].allSatisfy { bed.outcomes[$0] == .failed(.readOnly) })
        #expect(bed.flushesAsked == 0 && bed.loop.ticketsOutstanding == 0)
        #expect(bed.events.all.count == 1)
    }

    @Test(arguments: [(-5, 5), (2048, 5), (-28, 28)] as [(Int32, Int32)])
    func `is for nothing once a write has failed`(result: Int32, code: Int32) {
        defer { bed.end() }
        for number in 0..<3 { bed.begin(number) }
        bed.turn()
        bed.wrote(0)
        bed.turn()
        bed.wrote(1)
        bed.wrote(2, result)
        bed.turn()
        let failure = StoreError.kernel(
            operation: .write, path: "volumes/small-0000", error: KernelError(code: code))
        #expect(
            bed.outcomes == [
                0: .failed(.readOnly), 1: .failed(.readOnly), 2: .failed(failure),
            ])
        // The flush that ran is not believed any more.
        bed.flushed()
        bed.turn()
        #expect(bed.loop.ticketsOutstanding == 0 && bed.state.failedVolumes == [VolumeID(0)])
    }

    @Test func `is not asked for where another core's has failed meanwhile`() {
        defer { bed.end() }
        bed.begin(0)
        bed.turn()
        bed.state.stopWrites(to: VolumeID(0), because: .readOnly, at: 1)
        bed.wrote(0)
        bed.turn()
        #expect(bed.outcomes == [0: .failed(.readOnly)])
        #expect(bed.flushesAsked == 0 && bed.loop.ticketsOutstanding == 0)
    }

    /// The device may have dropped what both were to cover, and have had nothing left to do for the
    /// second.
    @Test func `is not believed where another core's failed while it ran`() {
        defer { bed.end() }
        bed.begin(0)
        bed.turn()
        bed.wrote(0)
        bed.turn()
        #expect(bed.flushesAsked == 1)
        bed.state.stopWrites(to: VolumeID(0), because: .readOnly, at: 1)
        bed.flushed()
        bed.turn()
        #expect(bed.outcomes == [0: .failed(.readOnly)])
        #expect(bed.flushesAsked == 0 && bed.loop.ticketsOutstanding == 0)
    }
}
