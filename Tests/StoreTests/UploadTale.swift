// Clients of uploads that go on wherever they were told to, and a tale of several of them: whoever
// breaks something under them asks afterwards whether any was told what is not so.

import Catalog
import IO
import Loop
import Simulator
import Volumes

@testable import Store

/// One upload as its client knows it. Errors happen to it; what it was told must hold.
final class UploadClient {
    let name: String
    let bytes: [UInt8]
    /// Whether it says at the start how many bytes come.
    let tellsLength: Bool
    /// What it says that the whole is, at the start or with its end.
    let digests: ObjectDigests
    private(set) var id: UploadID?
    /// It began as a plain PUT: until it has asked, it was told nothing.
    private(set) var isPlain = false
    /// The last offset that it was told.
    private(set) var told: UInt64 = 0
    private(set) var isFinished = false
    /// It asked for the end; true once it was told that it is.
    private(set) var isEnded: Bool?
    private(set) var failures: [UploadError] = []
    private(set) var problems: [String] = []

    init(
        _ name: String, _ bytes: [UInt8], tellsLength: Bool = true, saying whole: [UInt8]? = nil
    ) {
        (self.name, self.bytes, self.tellsLength) = (name, bytes, tellsLength)
        digests = whole.map { .of($0) } ?? ObjectDigests()
    }

    /// A plain PUT of which nothing was kept when it broke off, and nobody was told otherwise.
    var isUnheard: Bool { isPlain && told == 0 && failures.last == .notFound }

    /// As it is now, to go on with in another store.
    var twin: UploadClient {
        let twin = UploadClient(name, bytes, tellsLength: tellsLength)
        (twin.id, twin.told, twin.isFinished) = (id, told, isFinished)
        return twin
    }

    func create(_ world: World, on core: Int) {
        let (name, length) = (name, tellsLength ? UInt64(bytes.count) : nil)
        let expected = tellsLength ? digests : ObjectDigests()
        switch world.ask(
            on: core,
            { core throws(UploadError) in
                try await core.createUpload(name, length: length, expected: expected)
            })
        {
        case .success(let status): id = status.id
        case .failure(let error): failures.append(error)
        }
    }

    /// A plain PUT of the whole that breaks off.
    func breakOff(_ world: World, on core: Int, sent: Int) {
        let (name, bytes) = (name, bytes)
        let owner = world.cores[core]
        isPlain = true
        id = world.run(on: core) { await owner.breakOff(name, bytes, sent: sent) }
    }

    /// Sends from where it was told on, up to `end`; only up to `broken`, if the connection breaks.
    func send(_ world: World, on core: Int, to end: Int, broken: Int? = nil) {
        guard let id, isEnded == nil, !isFinished, Int(told) <= end else { return }
        let (part, offset) = (Array(bytes[Int(told)..<end]), told)
        let isLast = end == bytes.count
        let claim = ChunkClaim(
            offset: offset, end: tellsLength ? UInt64(end) : nil, isSequential: true)
        let sent = broken.map { max(0, $0 - Int(offset)) }
        let ending = isLast && !tellsLength ? UInt64(end) : nil
        var told = WholeDigests()
        if isLast { told.expected = digests }
        let whole = told
        note(
            world.ask(on: core) { core throws(UploadError) in
                try await core.sendChunk(
                    id, claim, part, sent: sent, whole: whole, ending: ending)
            })
    }

    func ask(_ world: World, on core: Int) {
        guard let id, isEnded == nil else { return }
        note(world.ask(on: core) { core throws(UploadError) in try await core.uploadStatus(id) })
    }

    func giveUp(_ world: World, on core: Int) {
        guard let id else { return }
        isEnded = isEnded ?? false
        switch world.ask(on: core, { core throws(UploadError) in try await core.abortUpload(id) }) {
        case .success: isEnded = true
        case .failure(let error): failures.append(error)
        }
    }

    private func note(_ answer: Result<UploadStatus, UploadError>) {
        switch answer {
        case .success(let status), .failure(.finished(let status)):
            if status.offset < told {
                problems.append("\(name) went back from \(told) to \(status.offset)")
            }
            if isFinished, !status.isFinished { problems.append("\(name) was finished") }
            told = status.offset
            isFinished = status.isFinished
        case .failure(let error): failures.append(error)
        }
    }

    /// Goes on until all is there; whatever that takes, if nothing is broken any more.
    func finish(_ world: World) {
        for turn in 0..<4 where !isFinished && isEnded == nil {
            ask(world, on: turn % world.cores.count)
            send(world, on: (turn + 1) % world.cores.count, to: bytes.count)
        }
    }
}

extension TestCore {
    /// Begins a plain upload and loses its client after so many bytes.
    func breakOff(_ name: String, _ bytes: [UInt8], sent: Int) async -> UploadID? {
        let description = UploadDescription(
            name: Array(name.utf8), length: UInt64(bytes.count), mediaType: Array("a/b".utf8),
            modified: 7)
        let id = objects.uploadID(of: description.name)
        do throws(StoreError) {
            let upload = try await objects.beginLarge(description)
            do throws(StoreError) {
                for start in stride(from: 0, to: sent, by: uploadBufferBytes) {
                    let part = Array(bytes[start..<min(sent, start + uploadBufferBytes)])
                    let lease = await memory.value.lease(uploadBufferBytes)
                    fill(lease.region, part)
                    try await upload.write(lease, count: part.count)
                }
            } catch {
                await upload.abandon()
                throw error
            }
            let terms = UploadTerms(
                name: description.name, owner: Array("me".utf8),
                mediaType: description.mediaType, length: description.length, dialect: .signedPut)
            await upload.keep(as: id, terms, secondsToLive: 3600)
            return id
        } catch {
            return nil
        }
    }
}

/// Several uploads on two cores, each of another kind.
struct UploadTale {
    let known = UploadClient(
        "known", content(200_001, seed: 31), saying: content(200_001, seed: 31))
    let unknown = UploadClient(
        "unknown", content(90_000, seed: 32), tellsLength: false,
        saying: content(90_000, seed: 32))
    let small = UploadClient("small", content(5000, seed: 33), saying: content(5000, seed: 33))
    let givenUp = UploadClient("given up", content(150_000, seed: 34))
    let left = UploadClient("left", content(120_000, seed: 35))
    let plain = UploadClient("plain", content(180_000, seed: 36))

    var all: [UploadClient] { [known, unknown, small, givenUp, left, plain] }

    func tell(_ world: World) {
        let other = world.cores.count - 1
        known.create(world, on: 0)
        known.send(world, on: other, to: 70_001)
        unknown.create(world, on: other)
        unknown.send(world, on: 0, to: 65_537)
        known.send(world, on: 0, to: 200_001, broken: 130_000)
        small.create(world, on: 0)
        small.send(world, on: other, to: 100)
        plain.breakOff(world, on: other, sent: 131_072)
        givenUp.create(world, on: 0)
        givenUp.send(world, on: 0, to: 80_000)
        left.create(world, on: other)
        left.send(world, on: 0, to: 50_000)
        known.send(world, on: other, to: 200_001)
        unknown.send(world, on: other, to: 90_000)
        small.send(world, on: 0, to: 5000)
        givenUp.giveUp(world, on: other)
        plain.ask(world, on: 0)
        plain.send(world, on: 0, to: 180_000)
        for client in [known, unknown, small, plain] where !client.isFinished {
            client.ask(world, on: 0)
        }
        world.settle()
    }

    /// What is wrong with a store that was opened again: everything that any client was told must
    /// hold, all can be finished, and no block is lost. Empty if nothing is.
    func problems(in world: World) -> [String] {
        var found = world.corruptions.map { "reports \($0)" } + all.flatMap(\.problems)
        for client in all where client.id != nil { found += problems(of: client, in: world) }
        world.settle()
        found += lostBlocks(in: world)
        if world.shared?.bytesReserved != 0 { found.append("bytes stay announced") }
        // Those that were created though their clients heard otherwise lie until their time is
        // over, without a block.
        let unheard = all.count { $0.id == nil }
        let open = world.shared?.unfinishedUploads ?? 0
        if open > unheard { found.append("\(open) uploads stay open, \(unheard) are unheard of") }
        return found
    }

    private func problems(of client: UploadClient, in world: World) -> [String] {
        if let isEnded = client.isEnded {
            let failures = client.failures.count
            client.giveUp(world, on: 0)
            let isGone = client.failures.count > failures
            if isEnded, !isGone { return ["\(client.name) was given up, and is back"] }
            return []
        }
        let wasFinished = client.isFinished
        if wasFinished {
            client.ask(world, on: 0)
        } else {
            client.finish(world)
        }
        if client.isUnheard { return [] }
        var found = client.problems
        if !client.isFinished { found.append("\(client.name) does not end: \(client.failures)") }
        if (try? world.get(client.name).get()) != client.bytes {
            found.append("\(client.name) is another object, or none")
        }
        return found
    }
}

extension UploadTale {
    /// The first half of the tale, on one core, told to its end whatever breaks.
    func beginsOnly(_ world: World) {
        known.create(world, on: 0)
        known.send(world, on: 0, to: 70_001)
        small.create(world, on: 0)
        small.send(world, on: 0, to: 5000)
        unknown.create(world, on: 0)
        unknown.send(world, on: 0, to: 90_000)
        givenUp.create(world, on: 0)
        givenUp.send(world, on: 0, to: 80_000)
        givenUp.giveUp(world, on: 0)
        known.send(world, on: 0, to: 200_001)
    }
}

/// What the blocks of large objects do not account for. Records lie in segments, which cores lease
/// whole: those are looked at after a restart.
func lostBlocks(in world: World) -> [String] {
    let wanted = world.list().reduce(0 as UInt64) { sum, line in
        line.object.kind == .large ? sum + VolumeLayout.blocks(for: line.object.length) : sum
    }
    let used = world.space.largeUsed - world.progressBlocks
    return used == wanted ? [] : ["\(used) large, not \(wanted) blocks"]
}
