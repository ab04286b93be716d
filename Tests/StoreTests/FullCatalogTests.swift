// A catalog that is full refuses objects before they are acknowledged, and lets them go.

import Catalog
import Foundation
import IO
import Simulator
import Testing

@testable import Store

@Suite(.serialized) struct `A full catalog` {
    private let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("full-catalog-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    private func open() throws -> LMDBCatalog {
        var sizes = LMDBSizes()
        sizes.mapBytes = 256 << 10
        sizes.mapBytesMax = 512 << 10
        sizes.headroomBytes = 4 << 20
        return try LMDBCatalog.open(
            at: path, instance: World.instance, sizes: sizes, create: true)
    }

    @Test func `refuses uploads, still deletes, then takes uploads again`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let hardware = try World.hardware()
        let world = World(hardware, catalog: try open())
        try world.open()
        let first = try fill(world, "a")
        #expect(first > 200)
        #expect(world.put("large", content(100_000, seed: 1)) == .failure(.noSpace))
        for number in 0..<first / 2 { #expect(try world.remove(name("a", number)).get()) }
        world.settle()
        #expect(world.shared?.unindexedCount == 0)
        #expect(try fill(world, "b") > 20)
        for number in first / 2..<first {
            #expect(try world.get(name("a", number)).get() == [UInt8(number & 255)])
        }
        let listed = world.list().map(\.name)
        let delays = world.events.all.filter {
            if case .indexingDelayed = $0 { true } else { false }
        }
        #expect(delays == [])
        #expect(world.close() == nil)

        let again = World(
            hardware, disk: SimulatedDisk(world.disk.visible),
            catalog: MemoryCatalog(instance: World.instance))
        try again.open()
        #expect(again.list().map(\.name) == listed)
        #expect(contradictions(again, Expectations()) == [])
        #expect(again.close() == nil)
    }

    @Test func `refuses to put uploads together for which it may have no room`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let world = World(try World.hardware(), catalog: try open())
        try world.open()
        let part = try world.part(content(9000, seed: 1))
        #expect(world.join("whole", [part]) == .failure(.store(.noSpace)))
        #expect(try world.get("whole").get() == nil)
        #expect(try world.status(part).get().offset == 9000)
        try world.ask { core throws(UploadError) in try await core.abortUpload(part) }.get()
        #expect(world.space.largeUsed == 0)
        #expect(world.close() == nil)
    }

    /// Long, because names are most of what a catalog holds.
    private func name(_ prefix: String, _ number: Int) -> String {
        "\(prefix) \(number) " + String(repeating: "x", count: 400)
    }

    /// Puts objects until they are refused, with the index up to date; answers how many were taken.
    private func fill(_ world: World, _ prefix: String) throws -> Int {
        for number in 0... {
            let outcome = world.put(name(prefix, number), [UInt8(number & 255)])
            if case .success(.created) = outcome { continue }
            world.settle()
            let again = world.put(name(prefix, number), [UInt8(number & 255)])
            if case .success(.created) = again { continue }
            #expect(again == .failure(.noSpace))
            return number
        }
        return 0
    }
}
