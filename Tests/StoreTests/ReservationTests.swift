// What clients announce and have not sent is bounded, and every byte of it is given back once.

import IO
import Loop
import Simulator
import Testing

@testable import Store

@Suite struct `A reservation budget` {
    @Test func `takes up to its limit, and again what has ended`() {
        var budget = ReservationBudget(bytesMax: 100)
        var taken = [60, 41, 40, 1].map { budget.take($0) }
        #expect(taken == [true, false, true, false])
        budget.end(1)
        taken = [1, 1].map { budget.take($0) }
        #expect(taken == [true, false])
        budget.end(100)
        #expect(budget == ReservationBudget(bytesMax: 100))
    }

    @Test func `lets one that is alone have any size`() {
        var budget = ReservationBudget(bytesMax: 100)
        var taken = [1000, 1].map { budget.take($0) }
        #expect(taken == [true, false])
        budget.end(900)
        taken = [1].map { budget.take($0) }
        #expect(taken == [false])
        budget.end(1)
        taken = [1, 1].map { budget.take($0) }
        #expect(taken == [true, false])
        var without = ReservationBudget(bytesMax: .max)
        taken = [.max - 1, 1, 1].map { without.take($0) }
        #expect(taken == [true, true, false])
    }

    @Test func `traps when more ends than was taken`() async {
        await #expect(processExitsWith: .failure) {
            var budget = ReservationBudget(bytesMax: 100)
            _ = budget.take(10)
            budget.end(11)
        }
    }
}

@Suite struct `Uploads under way` {
    private static let size = 300_000

    private func world() throws -> World {
        let world = World(try World.hardware())
        world.reservedBytesMax = 700_000
        try world.open()
        return world
    }

    private func begin(_ world: World, _ name: String) -> Result<Box<LargeUpload>, StoreError> {
        let core = world.core
        return world.run { await core.begin(name, length: Self.size) }
    }

    private func reserved(_ world: World) -> UInt64? {
        world.shared?.state.bytesReserved
    }

    @Test func `are refused beyond the limit until bytes have come or were given up`() throws {
        let world = try world()
        let core = world.core
        let before = world.space
        let first = try begin(world, "a").get()
        let second = try begin(world, "b").get()
        guard case .failure(.tooMuchReserved) = begin(world, "c") else {
            Issue.record("reserved beyond the limit")
            return
        }
        // Small objects do not count: their places are few blocks each.
        _ = try world.put("small", [1]).get()
        let sent = world.run { await core.send(128 << 10, to: first) }
        #expect(sent == nil)
        #expect(reserved(world) == 600_000 - 131_072)
        guard case .failure(.tooMuchReserved) = begin(world, "c") else {
            Issue.record("reserved beyond the limit")
            return
        }
        world.run { await second.value.abandon() }
        let third = try begin(world, "c").get()
        for upload in [first, third] { world.run { await upload.value.abandon() } }
        #expect(reserved(world) == 0)
        #expect(world.space.largeUsed == before.largeUsed)
        #expect(world.close() == nil)
    }

    @Test func `count no more once they are published, refused or failed`() throws {
        let world = try world()
        let bytes = content(Self.size, seed: 1)
        for _ in 0..<4 { _ = try world.put("same", bytes).get() }
        #expect(reserved(world) == 0)
        world.disk.fail(.write, number: 1)
        guard case .failure = world.put("other", bytes) else {
            Issue.record("acknowledged what failed")
            return
        }
        #expect(reserved(world) == 0)
        #expect(world.put("more", bytes) == .failure(.readOnly))
        #expect(reserved(world) == 0)
        #expect(try world.get("same").get() == bytes)
        _ = world.close()
    }
}

extension TestCore {
    /// An upload whose bytes are still to come.
    func begin(_ name: String, length: Int) async -> Result<Box<LargeUpload>, StoreError> {
        do throws(StoreError) {
            let description = UploadDescription(
                name: Array(name.utf8), length: UInt64(length), mediaType: [], modified: 7)
            return .success(Box(try await objects.beginLarge(description)))
        } catch {
            return .failure(error)
        }
    }

    /// Sends so many bytes, one buffer full at most.
    func send(_ count: Int, to upload: Box<LargeUpload>) async -> StoreError? {
        do throws(StoreError) {
            try await upload.value.write(await memory.value.lease(count), count: count)
            return nil
        } catch {
            return error
        }
    }
}
