// Goal:   what a small upload has before its first byte: its place on disk, and the knowledge that
//         its name is free.
// Method: the store on the simulated machine.

import Checksums
import IO
import Loop
import Testing

@testable import Store

extension TestCore {
    /// Begins a small upload; it goes on with `commit` or `abandon`.
    fileprivate func begin(
        _ name: String, _ bytes: [UInt8], _ absence: NameAbsence? = nil
    ) async throws(StoreError) -> Box<SmallUpload> {
        let description = UploadDescription(
            name: Array(name.utf8), length: UInt64(bytes.count), mediaType: Array("a/b".utf8),
            modified: 7, absence: absence)
        let upload = try await objects.beginSmall(description)
        memory.value.arena.copy(bytes.span.rawBytes, to: upload.dataRegion)
        return Box(upload)
    }

    fileprivate func abandon(_ upload: Box<SmallUpload>) { upload.value.abandon() }

    fileprivate func commit(
        _ upload: Box<SmallUpload>
    ) async throws(StoreError) -> PutOutcome {
        try await upload.value.commit(.durable)
    }

    fileprivate func absence(of name: String) async throws(StoreError) -> NameAbsence? {
        let finding = try await objects.look(up: Array(name.utf8))
        if case .absent(let absence) = finding { return absence }
        return nil
    }
}

@Suite struct `A small upload` {
    private func attempt<Answer>(
        _ world: World, on index: Int = 0,
        _ work: @escaping (TestCore) async throws(StoreError) -> Answer
    ) -> Result<Answer, StoreError> {
        let core = world.cores[index]
        return world.run(on: index) {
            do throws(StoreError) { return .success(try await work(core)) } catch {
                return .failure(error)
            }
        }
    }

    @Test func `is refused before its body when the store is full, and has its place if not`()
        throws
    {
        let world = World(try World.hardware())
        (world.volumeBytes, world.capacityBytes) = (64 << 20, 64 << 20)
        try world.open()
        let bytes = [UInt8](repeating: 7, count: 60_000)
        var begun: [Box<SmallUpload>] = []
        var refusal: StoreError?
        while refusal == nil {
            // All but one hold no buffer: the test has more of them than the core has.
            switch attempt(world, { core throws(StoreError) in try await core.begin("a", bytes) }) {
            case .success(let upload): begun.append(upload)
            case .failure(let error): refusal = error
            }
            if begun.count == 3 { break }
        }
        #expect(refusal == nil)
        for upload in begun { world.run { await world.core.abandon(upload) } }

        var count = 0
        while case .success = world.put("fill \(count)", bytes) { count += 1 }
        #expect(count > 900)
        let late = attempt(world) { core throws(StoreError) in try await core.begin("late", bytes) }
        #expect(throws: StoreError.noSpace) { _ = try late.get() }

        // Room for one: whoever has begun keeps it, the next is told so at once.
        #expect(try world.remove("fill 0").get())
        world.settle()
        let first = try attempt(world) { core throws(StoreError) in
            try await core.begin("first", bytes)
        }.get()
        let second = attempt(world) { core throws(StoreError) in
            try await core.begin("second", bytes)
        }
        #expect(throws: StoreError.noSpace) { _ = try second.get() }
        world.run { await world.core.abandon(first) }
        let third = try attempt(world) { core throws(StoreError) in
            try await core.begin("third", bytes)
        }.get()
        let outcome = try attempt(world) { core throws(StoreError) in
            try await core.commit(third)
        }.get()
        guard case .created = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(try world.get("third").get() == bytes)
        #expect(world.close() == nil)
    }

    /// The name was free when it was looked up; then another upload took it, and the index has it
    /// already or not yet.
    @Test(arguments: [true, false], [0, 1])
    func `does not take a name that was taken since it was looked up`(
        _ isIndexed: Bool, _ index: Int
    ) throws {
        let world = World(try World.hardware(cores: 2))
        try world.open()
        _ = try world.put("before", [1]).get()
        world.settle()
        let absence = try attempt(world, on: index) { core throws(StoreError) in
            try await core.absence(of: "name")
        }.get()
        #expect(absence != nil)
        _ = try world.put("name", [1, 2, 3]).get()
        if isIndexed { world.settle() }
        #expect((world.shared?.unindexedCount == 0) == isIndexed)
        let upload = try attempt(world, on: index) { core throws(StoreError) in
            try await core.begin("name", [4, 5, 6], absence)
        }.get()
        let outcome = try attempt(world, on: index) { core throws(StoreError) in
            try await core.commit(upload)
        }.get()
        guard case .existsDifferent = outcome else { return #expect(Bool(false), "\(outcome)") }
        #expect(try world.get("name").get() == [1, 2, 3])
        #expect(world.close() == nil)
    }

    @Test func `finds no absence where an object is`() throws {
        let world = World(try World.hardware())
        try world.open()
        _ = try world.put("name", [1]).get()
        let pins = try attempt(world) { core throws(StoreError) in
            try await core.absence(of: "name")
        }.get()
        #expect(pins == nil)
        #expect(world.close() == nil)
    }
}
