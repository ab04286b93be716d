/// The body of a request on its way into an upload that may be resumed: received here, written
/// from here, reported to the upload's owner.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    /// How a chunk's body ended.
    enum Arrival: Equatable {
        case whole
        /// The peer ended, or stalled. What came counts.
        case broken
        /// A newer request goes on with the upload. What came counts.
        case cut
        /// Its chunks cannot be told apart. What came before that counts.
        case malformed(Refusal)
        /// All of it came, and is not what the client meant. Nothing of it counts.
        case wrong
    }

    /// Fills `chunk` from the body. On an error the chunk is still to be ended.
    func receive(
        _ request: Request, into chunk: ChunkWriter, _ body: inout BodyProgress
    ) async throws(UploadError) -> Arrival {
        let slot = request.slot
        buffers.began()
        chunk.whenCut = { [unowned self] in assumeIsolated { $0.interrupt(slot) } }
        var pace = uploadPace(slot)
        defer {
            chunk.whenCut = nil
            buffers.ended()
            connections[slot].uploadBufferBytes = UInt32(pace.bufferBytes)
        }
        guard await sendContinue(slot, &body) else { return .broken }
        var framing = ChunkBody(request.head, settings.limits)
        var rate = MinimumRate(startedAt: loop.now, bytesPerSecond: settings.bodyBytesPerSecondMin)
        while !framing.isAtEnd {
            if chunk.isCut { return .cut }
            let start = loop.now
            let lease = await leaseForChunk(pace, missing: body.isChunked ? nil : body.bytesMissing)
            guard let step = chunk.next(countMax: Int(lease.region.count)) else {
                preconditionFailure("a counted body is as long as its chunk")
            }
            let received = await receive(slot, step, lease.region, chunk, &framing)
            guard received > 0 else {
                memory.giveBack(lease)
                if framing.isAtEnd { break }
                return ending(chunk, framing)
            }
            if !body.isChunked {
                body.took(received)
                framing.left(body.bytesMissing)
            }
            pace.moved(nanoseconds: loop.now - start)
            try await chunk.take(step, lease, count: received)
            await moved(.upload, received)
            passed(slot, received)
            let isFast = rate.received(received, now: loop.now)
            guard framing.isAtEnd || (received == step.count && isFast) else {
                return ending(chunk, framing)
            }
        }
        if body.isChunked { body.endedChunks() }
        return .whole
    }

    private func ending(_ chunk: ChunkWriter, _ framing: ChunkBody) -> Arrival {
        if chunk.isCut { return .cut }
        return framing.refusal.map { .malformed($0) } ?? .broken
    }

    private func leaseForChunk(_ pace: TransferPace, missing: UInt64?) async -> BufferLease {
        let unit = StoreLimits.unitBytes
        let wanted = min(missing ?? .max, UInt64(buffers.bufferBytes(.upload, pace)))
        let needed = max((Int(wanted) + unit - 1) / unit * unit, unit)
        return await memory.lease(
            preferring: needed, minimum: min(needed, max(unit, buffers.bufferBytesMin(.upload))))
    }

    /// Fills the front of `buffer` with the bytes of one step; fewer mean the end.
    private func receive(
        _ slot: Int, _ step: ChunkSteps.Step, _ buffer: Region, _ chunk: ChunkWriter,
        _ framing: inout ChunkBody
    ) async -> Int {
        var received = 0
        while received < step.count, !framing.isAtEnd {
            let part = min(step.count - received, Core.receiveStepBytes)
            let target = buffer.part(from: received, count: part)
            let more =
                framing.decoder == nil
                ? await receiveBody(slot, into: target)
                : await receiveDecoded(slot, into: target, &framing)
            received += more
            chunk.arrived(step, buffer, count: received)
            guard more == part else { break }
        }
        return received
    }

    /// The same from a body in chunks.
    func receiveDecoded(
        _ slot: Int, into target: Region, _ framing: inout ChunkBody
    ) async -> Int {
        var count = 0
        while count < Int(target.count), !framing.isAtEnd, framing.refusal == nil {
            guard await waitForInput(slot) else { break }
            // No more at once than there is room for: what is framing is less.
            let most = min(Int(connections[slot].inputCount), Int(target.count) - count)
            let kept = connections[slot].input.part(from: 0, count: most)
            switch framing.next(in: arena.span(kept)) {
            case .nothing(let used): consumeInput(slot, used)
            case .data(let range, let used):
                arena.copy(
                    kept.part(from: range.lowerBound, count: range.count),
                    to: target.part(from: count, count: range.count))
                count += range.count
                consumeInput(slot, used)
            }
        }
        return count
    }

    /// Ends what the connection's handler waits for, as its deadline would.
    private func interrupt(_ slot: Int) {
        connections[slot].flags.insert(.timedOut)
        if let token = connections[slot].interruptible { loop.cancel(token) }
        wakeArrival(slot)
    }

    // MARK: From the head to the answer

    /// Receives a chunk whole: what came of it is durable when this returns, however it ended.
    /// `isLast`: the upload ends with it. `expected`: nothing of it counts if it is something else.
    func takeChunk(
        _ request: Request, _ place: UploadPlace, _ claim: ChunkClaim, isLast: Bool,
        expected: ContentExpectation = ContentExpectation(), _ body: inout BodyProgress
    ) async throws(Answer) -> UploadStatus {
        try await takeWholeChunk(
            request, place, claim, isLast: isLast, expected: expected, &body
        ).status
    }

    /// A chunk that was received, and what its upload is then.
    struct ReceivedChunk {
        let arrival: Arrival
        /// All of it had come before.
        let isRepeated: Bool
        let status: UploadStatus
    }

    /// The same; tells also whether it was there already.
    func takeWholeChunk(
        _ request: Request, _ place: UploadPlace, _ claim: ChunkClaim, isLast: Bool,
        expected: ContentExpectation = ContentExpectation(), _ body: inout BodyProgress
    ) async throws(Answer) -> ReceivedChunk {
        let store = try requireStore()
        try requireServing()
        counters.uploadChunks &+= 1
        let outcome: ReceivedChunk
        do throws(UploadError) {
            let chunk = try await store.beginChunk(
                place.id, owner: place.owner, claim, expected: expected.checksums,
                whole: expected.whole)
            outcome = try await fill(
                chunk, request, isLast: isLast, owner: place.owner, &body)
        } catch {
            counters.uploadErrors &+= 1
            // Where in its chunks the body is, nobody knows any more.
            if body.isChunked { body.fail() }
            throw answer(for: error, request)
        }
        switch outcome.arrival {
        case .whole: return outcome
        case .broken:
            body.fail()
            counters.uploadErrors &+= 1
            throw Core.lost
        case .cut:
            body.fail()
            throw Answer(.conflict, "a newer request goes on with this upload", closes: true)
        case .malformed(let refusal):
            body.fail()
            throw Answer(refusal)
        case .wrong:
            counters.uploadErrors &+= 1
            counters.digestMismatches &+= 1
            throw expected.refusal
        }
    }

    private func fill(
        _ chunk: ChunkWriter, _ request: Request, isLast: Bool, owner: [UInt8],
        _ body: inout BodyProgress
    ) async throws(UploadError) -> ReceivedChunk {
        let start = chunk.position
        let arrival: Arrival
        beginTransfer(request, .upload, bytes: request.bodyCount, owner: owner)
        do throws(UploadError) {
            arrival = try await receive(request, into: chunk, &body)
            // Who goes on elsewhere had lost this connection before we knew.
            endTransfer(request.slot, isBroken: arrival == .broken || arrival == .cut)
        } catch {
            endTransfer(request.slot, isBroken: false)
            // What came before counts; what went wrong is what the client is told.
            _ = chunk.isWithheld ? try? await chunk.discard() : try? await chunk.keep()
            throw error
        }
        // Of what was to be compared and did not come whole nobody knows whether it is right.
        let isRight = arrival == .whole ? await chunk.isRight() : !chunk.isWithheld
        guard isRight else {
            let status = try await chunk.discard()
            return ReceivedChunk(
                arrival: arrival == .whole ? .wrong : arrival, isRepeated: false, status: status)
        }
        let end = chunk.position
        counters.uploadBytes &+= end - start
        let status = try await chunk.keep(length: arrival == .whole && isLast ? end : nil)
        if arrival == .whole {
            counters.transfers.uploadedChunk(
                end - start, nanoseconds: loop.now - request.handedAt)
        }
        return ReceivedChunk(arrival: arrival, isRepeated: chunk.isRepeated, status: status)
    }
}
