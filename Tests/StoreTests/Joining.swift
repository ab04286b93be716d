// Parts of one object and their client: what it has done, what it was told, and what must be so
// afterwards, whatever broke meanwhile.

import Catalog
import IO
import Loop
import Simulator
import Volumes

@testable import Store

extension TestCore {
    func createPart(
        length: UInt64?, owner: String = "me", secondsToLive: UInt64 = 3600
    ) async throws(UploadError) -> UploadStatus {
        var terms = UploadTerms(
            name: Array("never".utf8), owner: Array(owner.utf8), mediaType: [], length: length,
            dialect: .tus)
        terms.isPartial = true
        return try await objects.createUpload(terms, secondsToLive: secondsToLive)
    }

    func join(
        _ name: String, _ parts: [UploadID], owner: String = "me"
    ) async throws(UploadError) -> UploadStatus {
        var terms = UploadTerms(
            name: Array(name.utf8), owner: Array(owner.utf8), mediaType: Array("a/b".utf8),
            length: nil, dialect: .tus, metadata: Array("said".utf8))
        terms.parts = parts
        return try await objects.concatenateUploads(terms, secondsToLive: 3600)
    }
}

extension World {
    /// A part of those bytes, sent whole: created on one core, received on another.
    func part(_ bytes: [UInt8], on core: Int = 0) throws -> UploadID {
        let created = try ask(on: core) { core throws(UploadError) in
            try await core.createPart(length: UInt64(bytes.count))
        }.get()
        let status = try ask(on: cores.count - 1 - core) { core throws(UploadError) in
            try await core.append(created.id, at: 0, bytes)
        }.get()
        precondition(status.offset == bytes.count && !status.isFinished, "a part is no object")
        return created.id
    }

    func join(
        _ name: String, _ parts: [UploadID], on core: Int = 0, owner: String = "me"
    ) -> Result<UploadStatus, UploadError> {
        ask(on: core) { core throws(UploadError) in
            try await core.join(name, parts, owner: owner)
        }
    }

    func status(_ id: UploadID, owner: String = "me") -> Result<UploadStatus, UploadError> {
        ask { core throws(UploadError) in try await core.uploadStatus(id, owner: owner) }
    }
}

/// What the client of parts and of their whole knows.
struct JoinState: Sendable {
    enum Removal { case asked, acknowledged }

    let pieces: [[UInt8]]
    var ids: [UploadID?]
    /// How much of each is durable.
    var told: [UInt64]
    /// It has asked for the whole.
    var isAsked = false
    /// It was told that the whole is there.
    var whole: UploadStatus?
    var removal: Removal?

    init(_ pieces: [[UInt8]]) {
        self.pieces = pieces
        ids = pieces.map { _ in nil }
        told = pieces.map { _ in 0 }
    }

    /// Of lengths around a block and a unit.
    static let odd = JoinState(
        [65_536, 1, 0, 4095, 4096, 4097, 65_535, 65_537, 200_001].enumerated().map {
            content($0.element, seed: UInt64(200 + $0.offset))
        })
    /// Packed with its record.
    static let small = JoinState(
        [1, 4095, 0, 40_000].enumerated().map { content($0.element, seed: UInt64(220 + $0.offset)) }
    )

    var bytes: [UInt8] { pieces.flatMap { $0 } }

    /// Blocks that the whole holds on large volumes.
    var blocks: UInt64 {
        bytes.count <= StoreLimits.smallBytesMax
            ? 0 : pieces.reduce(0) { $0 + VolumeLayout.blocks(for: UInt64($1.count)) }
    }
}

/// That client at work.
final class JoinTale {
    private(set) var state: JoinState
    private(set) var failures: [UploadError] = []
    /// Changes with all that is said or tried.
    private(set) var version: UInt64 = 0

    init(_ state: JoinState) { self.state = state }

    private func note(_ change: (inout JoinState) -> Void) {
        change(&state)
        version += 1
    }

    /// `settles`: waits for what goes on behind the last answer.
    func tell(_ world: World, removing: Bool = false, settles: Bool = true) {
        let other = world.cores.count - 1
        for index in state.pieces.indices {
            create(index, world, on: index % world.cores.count)
            let count = state.pieces[index].count
            // One of them in two steps, with a block that is not whole in between.
            if count > 100_000 { send(index, world, on: other, to: 70_001) }
            send(index, world, on: 0, to: count)
        }
        join(world, on: other)
        if removing, state.whole != nil { remove(world, on: 0) }
        if settles { world.settle() }
    }

    private func create(_ index: Int, _ world: World, on core: Int) {
        let length = UInt64(state.pieces[index].count)
        switch world.ask(
            on: core,
            { core throws(UploadError) in
                try await core.createPart(length: length).id
            })
        {
        case .success(let id): note { $0.ids[index] = id }
        case .failure(let error): failures.append(error)
        }
    }

    private func send(_ index: Int, _ world: World, on core: Int, to end: Int) {
        let start = Int(state.told[index])
        guard let id = state.ids[index], start < end else { return }
        let bytes = Array(state.pieces[index][start..<end])
        switch world.ask(
            on: core,
            { core throws(UploadError) in
                try await core.append(id, at: UInt64(start), bytes)
            })
        {
        case .success(let status): note { $0.told[index] = status.offset }
        case .failure(let error): failures.append(error)
        }
    }

    private func join(_ world: World, on core: Int) {
        let ids = state.ids.compactMap { $0 }
        guard ids.count == state.ids.count else { return }
        note { $0.isAsked = true }
        switch world.join("whole", ids, on: core) {
        case .success(let status): note { $0.whole = status }
        case .failure(let error): failures.append(error)
        }
    }

    private func remove(_ world: World, on core: Int) {
        note { $0.removal = .asked }
        if case .success = world.remove("whole", on: core) {
            note { $0.removal = .acknowledged }
        }
    }
}

extension JoinState {
    /// What is wrong with a store that was opened again, or under which nothing is broken any more:
    /// the object is whole and its parts have ended, or every part is as it was said to be and the
    /// object can be made of them; and no block is lost. Empty if nothing is.
    func problems(in world: World) -> [String] {
        var found = world.corruptions.map { "reports \($0)" }
        let object = try? world.get("whole").get()
        if let object, object != bytes { found.append("another object") }
        if let whole { found += problems(ofTold: whole, object, in: world) }
        if object == nil, removal == nil { found += problemsOfMaking(in: world) }
        if object != nil || removal != nil { found += problemsOfParts(in: world) }
        if removal == .acknowledged, object != nil { found.append("what was removed is back") }
        world.settle()
        let hasObject = (try? world.get("whole").get()) != nil
        let used = world.space.largeUsed - world.progressBlocks
        let wanted = hasObject ? blocks : 0
        if used != wanted { found.append("\(used) large, not \(wanted) blocks") }
        if world.shared?.bytesReserved != 0 { found.append("bytes stay announced") }
        // Created, though the client heard otherwise: without a block, until their time is over.
        let unheard = ids.count { $0 == nil }
        let open = world.shared?.unfinishedUploads ?? 0
        if open > unheard { found.append("\(open) uploads stay open, \(unheard) are unheard of") }
        return found
    }

    private func problems(
        ofTold whole: UploadStatus, _ object: [UInt8]?, in world: World
    ) -> [String] {
        var found: [String] = []
        if removal == nil, object == nil { found.append("the object is lost") }
        let status = try? world.status(whole.id).get()
        if status?.isFinished != true || status?.terms != whole.terms
            || status?.offset != UInt64(bytes.count)
        {
            let told = status.map { "\($0.offset) bytes, \($0.terms.parts.count) parts" }
            found.append("the whole is told to be \(told ?? "nowhere")")
        }
        return found
    }

    /// Nothing of it was said to be there: then every part is.
    private func problemsOfMaking(in world: World) -> [String] {
        var parts: [UploadID] = []
        for (index, id) in ids.enumerated() {
            guard let id else {
                guard let made = try? world.part(pieces[index]) else { return ["takes no part"] }
                parts.append(made)
                continue
            }
            parts.append(id)
            guard let status = try? world.status(id).get() else { return ["part \(index) is lost"] }
            if status.offset < told[index] { return ["part \(index) went back"] }
            let rest = Array(pieces[index][Int(status.offset)...])
            let sent = world.ask { core throws(UploadError) in
                try await core.append(id, at: status.offset, rest)
            }
            if case .failure(let error) = sent { return ["part \(index) does not go on: \(error)"] }
        }
        let joined = world.join("whole", parts, on: world.cores.count - 1)
        if case .failure(let error) = joined { return ["is not put together: \(error)"] }
        return (try? world.get("whole").get()) == bytes ? [] : ["another object is made"]
    }

    /// The whole is there, or was: nothing is left of its parts. Those that have nothing in common
    /// with it on the disk may wait for their time to be over, if nobody was told.
    private func problemsOfParts(in world: World) -> [String] {
        var found: [String] = []
        for (index, id) in ids.enumerated() {
            guard let id, case .success = world.status(id) else { continue }
            let mayBeThere = whole == nil && (pieces[index].isEmpty || blocks == 0)
            if !mayBeThere { found.append("part \(index) is there beside the whole") }
            _ = world.ask { core throws(UploadError) in try await core.abortUpload(id) }
        }
        return found
    }
}
