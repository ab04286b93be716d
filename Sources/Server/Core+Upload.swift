/// PUT of a whole object, signed or by an operator: everything that can refuse it comes before its
/// body.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    func upload(
        _ request: Request, _ name: [UInt8], by authority: UploadAuthority = .signature,
        _ body: inout BodyProgress
    ) async throws(Answer) {
        let slot = request.slot
        let store = try requireStore()
        try requireServing()
        var description = try describe(request, name, by: authority)
        let durability = try durability(request)
        let digests = try requestDigests(request)
        counters.uploads &+= 1
        let outcome: PutOutcome
        do {
            switch try await look(up: name, store) {
            case .present(let existing):
                try await compare(
                    request, existing, description, durability, digests, store, &body)
                return writeCreated(request, durability, digests)
            case .absent(let absence): description.absence = absence
            }
            if description.length <= UInt64(StoreLimits.smallBytesMax) {
                outcome = try await receiveSmall(
                    slot, description, durability, digests, store, &body)
            } else {
                outcome = try await receiveLarge(
                    request, description, by: authority, durability, digests, store, &body)
            }
        } catch let error as StoreError {
            counters.uploadErrors &+= 1
            throw answer(for: error, request)
        } catch let error as Answer {
            counters.uploadErrors &+= 1
            throw error
        } catch {
            preconditionFailure("the store throws StoreError, and we throw Answer")
        }
        switch outcome {
        case .created, .existsIdentical: writeCreated(request, durability, digests)
        case .existsDifferent:
            counters.uploadErrors &+= 1
            throw Core.conflict
        }
        counters.uploadBytes &+= description.length
        counters.transfers.uploaded(
            description.length, nanoseconds: loop.now - request.handedAt)
    }

    /// What can be had without a suspension is had so: a call that only might suspend costs two
    /// changes of executors, each under a lock of the task's.
    @inline(__always)
    private func look(up name: [UInt8], _ store: ObjectStore) async throws(StoreError) -> Finding {
        if let finding = try store.lookNow(up: name) { return finding }
        return try await store.look(up: name)
    }

    @inline(__always)
    private func beginSmall(
        _ description: UploadDescription, _ store: ObjectStore
    ) async throws(StoreError) -> SmallUpload {
        if let upload = try store.beginSmallNow(description) { return upload }
        return try await store.beginSmall(description)
    }

    static let conflict = Answer(.conflict, "another object is published under this name")

    private func writeCreated(
        _ request: Request, _ durability: Store.Durability, _ digests: RequestDigests?
    ) {
        writeHead(
            request.slot, .created, keepAlive: request.head.keepAlive && phase != .draining
        ) { output in
            if request.head.durability.isPresent {
                output.appendField(
                    "Millrace-Durability", durability == .durable ? "durable" : "written")
            }
            if let digest = digests?.told { output.appendReprDigest(digest) }
            output.appendField("Content-Length", decimal: 0)
        }
    }

    // MARK: Receiving

    static let lost = Answer(
        .requestTimeout, "the body did not arrive whole", closes: true)

    @inline(__always)
    private func receiveSmall(
        _ slot: Int, _ description: UploadDescription, _ durability: Store.Durability,
        _ digests: RequestDigests?, _ store: ObjectStore, _ body: inout BodyProgress
    ) async throws -> PutOutcome {
        let upload = try await beginSmall(description, store)
        let count = Int(description.length)
        let isInvited = body.awaitsContinue ? await sendContinue(slot, &body) : true
        let received = isInvited ? await receiveBody(slot, into: upload.dataRegion) : 0
        guard received == count else {
            upload.abandon()
            body.fail()
            throw Core.lost
        }
        body.took(count)
        if let digests { try check(upload, digests, store) }
        return try await upload.commit(durability)
    }

    private func receiveLarge(
        _ request: Request, _ description: UploadDescription, by authority: UploadAuthority,
        _ durability: Store.Durability, _ digests: RequestDigests?, _ store: ObjectStore,
        _ body: inout BodyProgress
    ) async throws -> PutOutcome {
        let slot = request.slot
        let upload = try await store.beginLarge(
            description, makesSHA256: digests?.kinds.contains(.sha256) ?? false)
        beginTransfer(request, .upload, bytes: description.length)
        buffers.began()
        defer { buffers.ended() }
        do {
            try await fill(upload, slot, &body)
            endTransfer(slot, isBroken: false)
        } catch {
            endTransfer(slot, isBroken: error is Answer)
            if error is Answer { body.fail() }
            switch authority {
            case .signature where error is Answer: await keep(upload, digests, store)
            // An operator's has no URL of its own on which it could go on.
            case .signature, .admin: await upload.abandon()
            }
            throw error
        }
        if let digests { try await check(upload, digests) }
        let outcome = try await upload.commit(durability)
        if case .created = outcome {
            await store.endUpload(under: description.name, owner: description.owner)
        }
        return outcome
    }

    private func fill(
        _ upload: LargeUpload, _ slot: Int, _ body: inout BodyProgress
    ) async throws {
        var pace = uploadPace(slot)
        defer { connections[slot].uploadBufferBytes = UInt32(pace.bufferBytes) }
        guard await sendContinue(slot, &body) else { throw Core.lost }
        var rate = MinimumRate(
            startedAt: loop.now, bytesPerSecond: settings.bodyBytesPerSecondMin)
        while body.bytesMissing > 0 {
            let wanted = min(body.bytesMissing, UInt64(buffers.bufferBytes(.upload, pace)))
            let needed = max(Int(wanted), StoreLimits.uploadBufferBytesMin)
            let lease = await memory.lease(
                preferring: needed, minimum: min(needed, buffers.bufferBytesMin(.upload)))
            let count = min(Int(lease.region.count), Int(wanted))
            let start = loop.now
            let received = await receive(slot, into: lease.region, count: count, upload)
            guard received == count, rate.received(count, now: loop.now) else {
                try await writeBlocks(received, of: lease, upload)
                throw Core.lost
            }
            pace.moved(nanoseconds: loop.now - start)
            body.took(received)
            try await upload.write(lease, count: received)
            await moved(.upload, received)
            passed(slot, received)
        }
    }

    /// The whole blocks of what came before the end.
    private func writeBlocks(
        _ received: Int, of lease: consuming BufferLease, _ upload: LargeUpload
    ) async throws(StoreError) {
        let block = StoreLimits.uploadBufferBytesMin
        guard received >= block else { return memory.giveBack(lease) }
        try await upload.write(lease, count: received / block * block)
    }

    /// The client may come back to the same URL for the rest.
    private func keep(
        _ upload: LargeUpload, _ digests: RequestDigests?, _ store: ObjectStore
    ) async {
        let description = upload.description
        var terms = UploadTerms(
            name: description.name, owner: description.owner, tenant: description.tenant,
            mediaType: description.mediaType, length: description.length, dialect: .signedPut)
        if let digests { terms.expected = digests.expected }
        await upload.keep(
            as: store.uploadID(of: description.name), terms,
            secondsToLive: settings.uploadSecondsToLive)
    }

    /// Fills `buffer` in steps that fit the processor's second-level cache together with their
    /// checksumming: reading 1 MiB back from memory costs more than the additional receives.
    private func receive(
        _ slot: Int, into buffer: Region, count: Int, _ upload: LargeUpload
    ) async -> Int {
        var received = 0
        while received < count {
            let step = min(count - received, Core.receiveStepBytes)
            let more = await receiveBody(slot, into: buffer.part(from: received, count: step))
            received += more
            upload.arrived(buffer, count: received)
            guard more == step else { break }
        }
        return received
    }

    static let receiveStepBytes = 256 << 10

    // MARK: The name is taken

    /// Reads the body and compares every byte with what is published; throws 409 unless all are
    /// the same. Another length or type is refused before the body. What the request says of its
    /// bytes is held against the published ones, which are the same.
    private func compare(
        _ request: Request, _ existing: Pinned, _ description: UploadDescription,
        _ durability: Store.Durability, _ digests: RequestDigests?, _ store: ObjectStore,
        _ body: inout BodyProgress
    ) async throws {
        defer { store.release(existing) }
        guard existing.object.length == description.length else { throw Core.conflict }
        switch existing.object.kind {
        case .small: try await compareSmall(request, existing, description, store, &body)
        case .large: try await compareLarge(request, existing, description, store, &body)
        }
        if let digests {
            try check(try await store.digests(digests.kinds, of: existing), digests)
        }
        // What was acknowledged as written only may still be on its way to the disk.
        if durability == .durable, !(try await store.settle(existing)) {
            throw Answer(.serviceUnavailable, "the object was withdrawn", retryAfterSeconds: 1)
        }
    }

    func compareSmall(
        _ request: Request, _ existing: Pinned, _ description: UploadDescription,
        _ store: ObjectStore, _ body: inout BodyProgress
    ) async throws {
        let object = try await store.readSmall(existing)
        let type = object.mediaType
        memory.giveBack(object.takeLease())
        guard type == description.mediaType else { throw Core.conflict }
        guard await sendContinue(request.slot, &body) else { throw Core.lost }
        let count = Int(description.length)
        let lease = await memory.lease(max(count, 1))
        let target = lease.region.part(from: 0, count: count)
        let received = await receiveBody(request.slot, into: target)
        guard received == count else {
            memory.giveBack(lease)
            body.fail()
            throw Core.lost
        }
        body.took(received)
        let isSame: Bool
        do { isSame = try await store.matches(existing, received: target) } catch {
            memory.giveBack(lease)
            throw error
        }
        memory.giveBack(lease)
        guard isSame else { throw Core.conflict }
    }

    /// Of a body that is compared, at once.
    private static let comparedBytesMax = 256 << 10

    /// `start`: where in the object the body's first byte belongs.
    func compareLarge(
        _ request: Request, _ existing: Pinned, _ description: UploadDescription,
        _ store: ObjectStore, _ body: inout BodyProgress, from start: UInt64 = 0
    ) async throws {
        let large = try await store.describe(existing)
        guard large.mediaType == description.mediaType else { throw Core.conflict }
        guard await sendContinue(request.slot, &body) else { throw Core.lost }
        var offset = start
        while body.bytesMissing > 0 {
            let wanted = Int(min(body.bytesMissing, UInt64(Core.comparedBytesMax)))
            let lease = await memory.lease(wanted)
            let target = lease.region.part(from: 0, count: wanted)
            let received = await receiveBody(request.slot, into: target)
            guard received == wanted else {
                memory.giveBack(lease)
                body.fail()
                throw Core.lost
            }
            body.took(received)
            let isSame: Bool
            do {
                isSame = try await store.matches(large, offset: offset, received: target)
            } catch {
                memory.giveBack(lease)
                throw error
            }
            memory.giveBack(lease)
            guard isSame else { throw Core.conflict }
            offset += UInt64(received)
        }
    }
}
