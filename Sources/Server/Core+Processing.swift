/// Request heads, and what can be answered from memory within the completion that brought them.

import Engine
import HTTP
import IO
import Loop

extension Core {
    /// Works through `bytes` as far as it can now and answers how many are done with. The rest
    /// is an incomplete head, a body, or waits for the output to drain.
    func process(_ slot: Int, _ bytes: Region, seenCount: Int) -> Int {
        let all = arena.span(bytes)
        var used = 0
        var head = RequestHead()
        connections[slot].inputSeen = 0
        defer { giveBackEmptyOutput(slot) }
        while used < all.count, isReady(slot) {
            guard outputRoom(slot, Core.headRoom) != nil else {
                // Full: it leaves first. Or no memory is left for answers at all.
                if connections[slot].output.count == 0 { end(slot) }
                break
            }
            let rest = all.extracting(droppingFirst: used)
            let seen = used == 0 ? seenCount : 0
            switch HeadParser.parse(rest, seenCount: seen, into: &head, limits: settings.limits) {
            case .complete(let count):
                let headBytes = bytes.part(from: used, count: count)
                guard answer(slot, head, headBytes) else { return used }
                used += count
                if connections[slot].unwantedCount > 0 {
                    used += skipUnwanted(slot, all.count - used)
                }
            case .incomplete:
                if seen == 0 { setDeadline(slot, seconds: settings.headTimeoutSeconds) }
                connections[slot].inputSeen = UInt32(rest.count)
                return used
            case .invalid(let refusal):
                refuse(slot, refusal.status, refusal.line)
                return all.count
            }
        }
        return used
    }

    private func isReady(_ slot: Int) -> Bool {
        connections[slot].flags.isDisjoint(with: [
            .busy, .sending, .closesAfterOutput, .sendsEntry, .ending, .lingering,
        ])
    }

    /// False if there is no room for the answer now: nothing was done then.
    private func answer(_ slot: Int, _ head: RequestHead, _ bytes: Region) -> Bool {
        if head.method == .get || head.method == .head, head.framing == .none,
            !head.hasUnknownExpectation, !connections[slot].flags.contains(.isMetrics),
            let entry = cachedEntry(head, bytes)
        {
            connections[slot].flags.remove(.receivesOnce)
            return answerHit(slot, head, bytes, entry)
        }
        if refuseNew(slot, head, bytes) { return true }
        startHandler(slot, head, bytes)
        return true
    }

    /// A path without escapes is its object's name, base aside; other spellings of a cached name
    /// take the slower way. No name with a percent sign is cached: here it would be an escape's.
    private func cachedEntry(_ head: RequestHead, _ bytes: Region) -> UInt32? {
        let basePath = settings.basePath
        let base = basePath.count
        guard Int(head.path.count) > base else { return nil }
        let path = bytes.part(from: Int(head.path.offset), count: Int(head.path.count))
        if base > 1, !arena.holds(basePath.span, at: path.part(from: 0, count: base)) {
            return nil
        }
        return cache.find(arena.span(path.part(from: base, count: Int(path.count) - base)))
    }

    private func answerHit(
        _ slot: Int, _ head: RequestHead, _ bytes: Region, _ entry: UInt32
    ) -> Bool {
        let isPlain =
            head.method == .get && head.keepAlive && head.minorVersion == 1
            && !head.hasConditions && !head.range.isPresent && !head.wantsReprDigest
        guard isPlain else { return answerHitInDetail(slot, head, bytes, entry) }
        let cached = cache.entry(entry)
        let okHead = clock.okHead.span
        let whole = okHead.count + Int(cached.fieldsAndBody.count)
        guard let room = outputRoom(slot, Core.headRoom) else { return false }
        if whole <= Int(room.count) {
            arena.copy(okHead, to: room)
            arena.copy(
                cached.fieldsAndBody,
                to: room.part(
                    from: okHead.count, count: Int(room.count) - okHead.count))
            connections[slot].outputCount += UInt32(whole)
        } else {
            guard connections[slot].outputCount == 0 else { return false }
            arena.copy(okHead, to: room)
            arena.copy(
                cached.fields,
                to: room.part(
                    from: okHead.count, count: Int(room.count) - okHead.count))
            connections[slot].outputCount = UInt32(okHead.count) + cached.fields.count
            sendBehindOutput(slot, cached.body, of: entry)
        }
        counters.cacheHits &+= 1
        counters.downloads &+= 1
        counters.answered(200)
        return true
    }

    /// The body goes out from where it is cached, with the head that was collected.
    func sendBehindOutput(_ slot: Int, _ body: Region, of entry: UInt32) {
        cache.pin(entry)
        connections[slot].sendingEntry = entry
        connections[slot].entryBody = body
        connections[slot].flags.insert(.sendsEntry)
    }

    /// HEAD, conditions, ranges, digests, HTTP/1.0, and requests that end the connection.
    private func answerHitInDetail(
        _ slot: Int, _ head: RequestHead, _ bytes: Region, _ entry: UInt32
    ) -> Bool {
        guard connections[slot].outputCount == 0 else { return false }
        let cached = cache.entry(entry)
        let fields = ObjectFields(
            length: UInt64(cached.bodyCount), sequence: cached.facts.sequence,
            checksum: cached.facts.checksum, modifiedSeconds: cached.facts.modifiedSeconds,
            hasRanges: settings.sendsRanges)
        let selection = select(fields, head, bytes: arena.span(bytes))
        let lengthLine = ObjectFields.lengthLineCount(UInt64(cached.bodyCount))
        let rest = cached.fields.part(
            from: lengthLine, count: Int(cached.fields.count) - lengthLine - 2)
        let digest =
            selection.tellsDigest
            ? reprDigest(
                head, arena.span(bytes), of: cached.body, checksum: cached.facts.checksum) : nil
        writeSelectionHead(
            slot, fields, selection, digest, otherFields: arena.span(rest), to: head,
            keepAlive: head.keepAlive)
        if let range = selection.bodyRange(of: fields.length), head.method == .get {
            let body = cached.body.part(
                from: Int(range.lowerBound), count: Int(range.upperBound - range.lowerBound) + 1)
            sendBehindOutput(slot, body, of: entry)
        }
        counters.cacheHits &+= 1
        counters.downloads &+= 1
        if !head.keepAlive { connections[slot].flags.insert(.closesAfterOutput) }
        return true
    }
}

extension RequestHead {
    var hasConditions: Bool {
        ifMatch.isPresent || ifNoneMatch.isPresent || ifModifiedSince.isPresent
            || ifUnmodifiedSince.isPresent
    }
}
