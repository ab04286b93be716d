// Files into a stopped store and out of it, one at a time: what is published, and what is not.

import Foundation
import Loop
import Runtime
import Testing
import Trees
import Volumes

@testable import Configuration
@testable import Files
@testable import Store
@testable import Transfer

@Suite(.serialized) struct `The door to a stopped store` {
    /// Beside the running test program: /tmp may be a file system without O_DIRECT.
    private static func scratch() throws -> String {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path =
            URL(fileURLWithPath: program).deletingLastPathComponent().path + "/transfer-"
            + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func withStore(
        _ more: String = "", _ body: (StoreDoor, String) throws -> Void
    ) throws {
        let path = try Self.scratch()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let settings = try Settings.parse(
            toml: """
                [server]
                memory_per_core = "16MiB"
                [storage]
                path = "\(path)/data"
                capacity = "1GiB"
                volume_size = "256MiB"
                \(more)
                """)
        #expect(try !StoppedStore.exists(settings))
        let result = try StoppedStore.with(settings, Journal { _, _, _ in }) { keeper in
            Result { try body(StoreDoor(keeper), path) }
        }
        try result.get()
        #expect(try StoppedStore.exists(settings))
    }

    private func source(_ bytes: [UInt8], _ path: String) throws -> SourceFile {
        let name = path + "/" + UUID().uuidString
        try Data(bytes).write(to: URL(fileURLWithPath: name))
        let file = unsafe OpenFile(open(name, O_RDWR), path: name)
        return SourceFile(path: [97], file: file, stamp: try #require(file.stamp))
    }

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    private static let sizes = [0, 1, 4096, 65_536, 65_537, (3 << 20) + 1]

    /// A volume that failed is back in a second.
    @Test func `waits for a volume that takes no writes`() throws {
        try withStore { door, path in
            let (name, moved) = (Array("name".utf8), ByteCounter())
            _ = try door.put(try source(bytes(10), path), as: [97], type: "a/b", moved)
            failVolumes(door)
            let file = try source(bytes(100), path)
            #expect(throws: DoorError.busy("\(StoreError.readOnly)")) {
                try door.put(file, as: name, type: "a/b", moved)
            }
            let report = RunReport(.importing)
            report.carry(name, bytes: 100) { () throws(DoorError) in
                _ = try door.put(file, as: name, type: "a/b", moved)
                return (.transferred(bytes: 100), nil)
            }
            #expect(report.counts.transferred == 1 && report.counts.failed == 0)
            #expect(try door.find(name) == file.facts)
        }
    }

    @Test func `waits for no volume that does not come back before a restart`() throws {
        try withStore("[streaming]\ncircuit_breaker = false") { door, path in
            _ = try door.put(
                try source(bytes(10), path), as: [97], type: "a/b", ByteCounter())
            failVolumes(door)
            #expect(throws: DoorError.hopeless("\(StoreError.readOnly)")) {
                let file = try source(bytes(100), path)
                _ = try door.put(file, as: [98], type: "a/b", ByteCounter())
            }
        }
    }

    /// As if each small one's flush had failed.
    private func failVolumes(_ door: StoreDoor) {
        door.keeper.perform { keeper in
            guard let state = keeper.store?.state else { return }
            for number in 0..<4 as Range<UInt16> {
                let volume = VolumeName(.small, number: number).id
                state.stopWrites(to: volume, because: .readOnly, at: keeper.loop.now)
            }
        }
    }

    @Test func `publishes files of every size, and gives them back`() throws {
        try withStore { door, path in
            for size in Self.sizes {
                let (content, name, moved) = (bytes(size), Array("o\(size)".utf8), ByteCounter())
                let file = try source(content, path)
                #expect(try door.find(name) == nil)
                #expect(try door.put(file, as: name, type: "a/b", moved) == .published)
                #expect(moved.value == UInt64(size))
                #expect(try door.find(name) == file.facts)
                let copy = try source([], path)
                let line = ObjectLine(name: name, facts: file.facts)
                try door.fetch(line, into: copy.file, ByteCounter())
                var read = [UInt8](repeating: 0, count: size + 1)
                #expect(try copy.file.read(into: &read, count: size + 1, at: 0) == size)
                #expect(Array(read.dropLast()) == content)
            }
            let page = try door.page(prefix: [], after: nil)
            #expect(page.isLast)
            #expect(page.objects.count == Self.sizes.count)
            #expect(
                try door.page(prefix: [], after: page.objects[0].name).objects
                    == Array(page.objects.dropFirst()))
        }
    }

    @Test(arguments: sizes.dropFirst())
    func `tells the same bytes and type from others`(size: Int) throws {
        try withStore { door, path in
            let content = bytes(size)
            let file = try source(content, path)
            let (name, count) = (Array("o".utf8), UInt64(size))
            #expect(try door.put(file, as: name, type: "a/b", ByteCounter()) == .published)
            #expect(try door.holds(file.file, byteCount: count, as: name, type: "a/b"))
            #expect(try door.holds(file.file, byteCount: count, as: name, type: nil))
            #expect(try !door.holds(file.file, byteCount: count, as: name, type: "a/c"))
            #expect(try !door.holds(file.file, byteCount: count, as: [98], type: nil))
            #expect(try !door.holds(file.file, byteCount: count + 1, as: name, type: nil))
            #expect(try door.put(file, as: name, type: "a/b", ByteCounter()) == .published)
            var other = content
            other[size - 1] ^= 1
            let changed = try source(other, path)
            #expect(try !door.holds(changed.file, byteCount: count, as: name, type: nil))
            #expect(try door.put(changed, as: name, type: "a/b", ByteCounter()) == .conflict)
            #expect(try door.holds(file.file, byteCount: count, as: name, type: "a/b"))
        }
    }

    @Test(arguments: sizes.dropFirst())
    func `publishes no file that changes while it is read`(size: Int) throws {
        try withStore { door, path in
            let name = Array("o".utf8)
            for change in ["longer", "shorter", "other"] {
                let file = try source(bytes(size), path)
                switch change {
                case "longer": try file.file.write([1], count: 1, at: UInt64(size))
                case "shorter": #expect(ftruncate(file.file.descriptor, size - 1) == 0)
                default: try file.file.setModified(seconds: 5)
                }
                #expect(throws: SourceFile.changed) {
                    try door.put(file, as: name, type: "a/b", ByteCounter())
                }
                #expect(try door.find(name) == nil, "\(change)")
            }
            // Nothing is left of them that would be in the way.
            let file = try source(bytes(size), path)
            #expect(try door.put(file, as: name, type: "a/b", ByteCounter()) == .published)
        }
    }

    @Test func `says what cannot be read or is not there`() throws {
        try withStore { door, path in
            let directory = unsafe OpenFile(open(path, O_RDONLY), path: path)
            let stamp = try source([1, 2, 3], path).stamp
            let file = SourceFile(path: [97], file: directory, stamp: stamp)
            #expect(throws: DoorError.failed("cannot read it: Is a directory")) {
                try door.put(file, as: [97], type: "a/b", ByteCounter())
            }
            let line = ObjectLine(name: [98], facts: file.facts)
            #expect(throws: DoorError.failed("it is gone")) {
                try door.fetch(line, into: directory, ByteCounter())
            }
        }
    }

    @Test func `says what cannot be written`() throws {
        try withStore { door, path in
            for size in [10, 100_000] {
                let (file, name) = (try source(bytes(size), path), Array("o\(size)".utf8))
                #expect(try door.put(file, as: name, type: "a/b", ByteCounter()) == .published)
                let line = ObjectLine(name: name, facts: file.facts)
                // Writes to it fail with ENOSPC.
                let full = unsafe OpenFile(open("/dev/full", O_WRONLY), path: "/dev/full")
                do throws(DoorError) {
                    try door.fetch(line, into: full, ByteCounter())
                    Issue.record("the full device took it")
                } catch {
                    guard case .hopeless = error else {
                        Issue.record("\(error)")
                        return
                    }
                }
            }
        }
    }
}
