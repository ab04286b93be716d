/// GET and HEAD of objects that are not in the hot cache.

import Engine
import HTTP
import IO
import Loop
import Store

extension Core {
    func download(_ request: Request, _ name: [UInt8]) async throws(Answer) {
        let store = try requireStore()
        let found: Pinned?
        do { found = try await store.find(name) } catch { throw answer(for: error, request) }
        guard let pinned = found else {
            if Conditions.evaluateAbsent(request.head) == .preconditionFailed {
                throw Answer(.preconditionFailed, "a precondition is false")
            }
            throw Answer(.notFound, "there is no such object")
        }
        counters.cacheMisses &+= 1
        counters.downloads &+= 1
        let result: Result<UInt64, StoreError>
        if settings.sendsPrecompressed {
            result = await downloadNegotiated(request, pinned, store)
        } else {
            result = await download(request, Representation(pinned), store)
            store.release(pinned)
        }
        switch result {
        case .success(let count):
            if connections[request.slot].flags.contains(.ending) { return }
            counters.transfers.downloaded(count, nanoseconds: loop.now - request.handedAt)
        case .failure(let error):
            counters.downloadErrors &+= 1
            throw answer(for: error, request)
        }
    }

    func download(
        _ request: Request, _ representation: Representation, _ store: ObjectStore
    ) async -> Result<UInt64, StoreError> {
        switch representation.pinned.object.kind {
        case .small: await downloadSmall(request, representation, store)
        case .large: await downloadLarge(request, representation, store)
        }
    }

    // MARK: Small

    /// Answers how many bytes of the object the answer has; if its connection has ended by then,
    /// fewer went out.
    private func downloadSmall(
        _ request: Request, _ representation: Representation, _ store: ObjectStore
    ) async -> Result<UInt64, StoreError> {
        let pinned = representation.pinned
        let object: SmallObject
        do { object = try await store.readSmall(pinned) } catch { return .failure(error) }
        let ownType = object.mediaType
        let mediaType = representation.mediaType ?? ownType
        let fields = fields(
            of: representation, checksum: object.checksum, mediaType: mediaType)
        let others = otherFields(fields, mediaType: mediaType)
        let data = object.data
        var body: LeasedBytes? = LeasedBytes(buffer: object.takeLease().detach(), bytes: data)
        // What a path stands for, the cache does not ask.
        if !fields.isNegotiated { remember(pinned, fields, others, data) }
        let selection = select(fields, request.head, bytes: request.bytes.span)
        let digest =
            selection.tellsDigest
            ? reprDigest(
                request.head, request.bytes.span, of: data, checksum: fields.checksum) : nil
        writeSelectionHead(
            request.slot, fields, selection, digest, otherFields: others.span,
            to: request.head, keepAlive: request.head.keepAlive && phase != .draining)
        guard request.head.method == .get, let range = selection.bodyRange(of: fields.length),
            await sendHead(request.slot, before: &body)
        else {
            giveBack(body)
            return .success(0)
        }
        await sendSmall(request, pinned, range, body, store)
        return .success(UInt64(range.count))
    }

    private func sendHead(_ slot: Int, before body: inout LeasedBytes?) async -> Bool {
        let rest = await startHead(slot)
        if let rest, rest.count > 0 { giveBack(body.take()) }
        return await finishHead(slot, rest)
    }

    /// Sends a range of a small object. It is read again when its buffer had to be yielded, as that
    /// of `object` may have been already.
    private func sendSmall(
        _ request: Request, _ pinned: Pinned, _ range: ClosedRange<UInt64>,
        _ object: LeasedBytes?, _ store: ObjectStore
    ) async {
        handlers.beginStreaming()
        defer { handlers.endStreaming() }
        var (waiting, isLate) = (object, false)
        var offset = Int(range.lowerBound)
        let end = Int(range.upperBound) + 1
        while offset < end {
            let object: LeasedBytes
            if let first = waiting.take() {
                object = first
            } else {
                do { object = try await readAgain(pinned, store) } catch {
                    return breakOff(request, error)
                }
            }
            let rest = object.bytes.part(from: offset, count: end - offset)
            let sent = await sendLeased(
                request.slot, LeasedBytes(buffer: object.buffer, bytes: rest), more: false)
            guard let sent else { return }
            offset += sent
            if offset < end {
                guard await makesRoom(request.slot, taken: sent, &isLate) else { return }
            }
        }
    }

    private func readAgain(
        _ pinned: Pinned, _ store: ObjectStore
    ) async throws(StoreError) -> LeasedBytes {
        let object = try await store.readSmall(pinned)
        let data = object.data
        return LeasedBytes(buffer: object.takeLease().detach(), bytes: data)
    }

    /// Too late for a status: the connection ends short, never with wrong bytes.
    func breakOff(_ request: Request, _ error: StoreError) {
        counters.downloadErrors &+= 1
        noteFailure(answer(for: error, request), number: request.number)
        end(request.slot)
    }

    func otherFields(_ fields: ObjectFields, mediaType: [UInt8]) -> [UInt8] {
        [UInt8](capacity: ObjectFields.sizeMax + mediaType.count) { output in
            fields.append(to: &output, mediaType: mediaType.span)
        }
    }

    /// Puts a verified object into the hot cache, unless it has been deleted meanwhile.
    private func remember(
        _ pinned: Pinned, _ fields: ObjectFields, _ others: [UInt8], _ data: Region
    ) {
        guard let store, (try? store.isCurrent(pinned)) == true else { return }
        cache(pinned.name, fields, others, data)
    }

    func cache(_ name: [UInt8], _ fields: ObjectFields, _ others: [UInt8], _ data: Region) {
        // Found by the path as it was sent, it would answer for what the escape names.
        guard !name.contains(UInt8(ascii: "%")) else { return }
        let lengthLine = ObjectFields.lengthLineCount(fields.length)
        let facts = HotCache.Facts(
            sequence: fields.sequence, modifiedSeconds: fields.modifiedSeconds,
            checksum: fields.checksum)
        guard
            let entry = cache.insert(
                name.span, facts: facts,
                fieldCount: lengthLine + others.count + 2, bodyCount: Int(data.count))
        else { return }
        let target = cache.entry(entry)
        var output = arena.output(target.fields)
        output.appendField("Content-Length", decimal: fields.length)
        output.append(others.span)
        output.appendHeadEnd()
        precondition(output.count == Int(target.fields.count), "the fields' size was miscounted")
        arena.copy(data, to: target.body)
    }
}
