/// GET and HEAD of objects that are not in the hot cache.

import Engine
import HTTP
import IO
import Loop
import Store

extension Core {
    /// One inline sendfile at most: what others wait behind it.
    static let sendFileBurst: UInt64 = 2 << 20

    func download(_ request: Request, _ name: [UInt8]) async throws(Answer) {
        let store = try requireStore()
        if store.looksUpCold { await store.prefetch(name) }
        let found: Pinned?
        do { found = try store.find(name) } catch { throw answer(for: error, request) }
        guard let pinned = found else {
            if Conditions.evaluateAbsent(request.head) == .preconditionFailed {
                throw Answer(.preconditionFailed, "a precondition is false")
            }
            throw Answer(.notFound, "there is no such object")
        }
        counters.cacheMisses &+= 1
        counters.downloads &+= 1
        let result: Result<Void, StoreError>
        switch pinned.object.kind {
        case .small: result = await downloadSmall(request, pinned, store)
        case .large: result = await downloadLarge(request, pinned, store)
        }
        store.release(pinned)
        if case .failure(let error) = result {
            counters.downloadErrors &+= 1
            throw answer(for: error, request)
        }
    }

    // MARK: Small

    private func downloadSmall(
        _ request: Request, _ pinned: Pinned, _ store: ObjectStore
    ) async -> Result<Void, StoreError> {
        let object: SmallObject
        do { object = try await store.readSmall(pinned) } catch { return .failure(error) }
        let fields = ObjectFields(
            length: pinned.object.length, sequence: pinned.object.sequence,
            checksum: object.checksum, modifiedSeconds: pinned.object.modified)
        let others = otherFields(fields, mediaType: object.mediaType)
        let data = object.data
        let lease = object.takeLease()
        remember(pinned, fields, others, data)
        let selection = select(fields, request.head, bytes: request.bytes.span)
        writeSelectionHead(
            request.slot, fields, selection, otherFields: others.span,
            to: request.head, keepAlive: request.head.keepAlive && phase != .draining)
        if request.head.method == .get, let range = selection.bodyRange(of: fields.length),
            await sendOutput(request.slot, more: true)
        {
            let body = data.part(
                from: Int(range.lowerBound), count: Int(range.upperBound - range.lowerBound) + 1)
            _ = await send(request.slot, body, more: false)
        }
        memory.giveBack(lease)
        return .success(())
    }

    private func otherFields(_ fields: ObjectFields, mediaType: [UInt8]) -> [UInt8] {
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

    // MARK: Large

    private func downloadLarge(
        _ request: Request, _ pinned: Pinned, _ store: ObjectStore
    ) async -> Result<Void, StoreError> {
        let large: LargeObject
        do { large = try await store.describe(pinned) } catch { return .failure(error) }
        let fields = ObjectFields(
            length: pinned.object.length, sequence: pinned.object.sequence,
            checksum: large.checksum, modifiedSeconds: pinned.object.modified)
        let selection = select(fields, request.head, bytes: request.bytes.span)
        let range = selection.bodyRange(of: fields.length)
        var first: Chunk?
        if request.head.method == .get, let range, !isVerified(large, range, store) {
            do { first = try await readFirst(large, range, store) } catch {
                return .failure(error)
            }
        }
        let others = otherFields(fields, mediaType: large.mediaType)
        writeSelectionHead(
            request.slot, fields, selection, otherFields: others.span,
            to: request.head, keepAlive: request.head.keepAlive && phase != .draining)
        guard await sendOutput(request.slot, more: range != nil && request.head.method == .get),
            request.head.method == .get, let range
        else {
            giveBack(first)
            return .success(())
        }
        return await streamCorked(request, large, range, first: first, store)
    }

    /// Whether as much of the range is verified as has to be before its head goes out: of objects
    /// that one read can bring, all.
    private func isVerified(
        _ large: LargeObject, _ range: ClosedRange<UInt64>, _ store: ObjectStore
    ) -> Bool {
        guard let file = store.fileRange(large, offset: range.lowerBound) else { return false }
        let isLong = large.object.length > UInt64(StoreLimits.transferBytesMax)
        return isLong || file.count > range.upperBound - range.lowerBound
    }

    /// Reads what has to be verified before the head, so that what is corrupt there is a 500.
    /// Nil: it was, but memory for all of it at once is short; it is read again in its turn.
    private func readFirst(
        _ large: LargeObject, _ range: ClosedRange<UInt64>, _ store: ObjectStore
    ) async throws(StoreError) -> Chunk? {
        var chunk = try await readChunk(large, range.lowerBound, range, store)
        var end = range.lowerBound + UInt64(chunk.bytes.count)
        let isLong = large.object.length > UInt64(StoreLimits.transferBytesMax)
        if isLong || end > range.upperBound { return chunk }
        while true {
            giveBack(chunk)
            if end > range.upperBound { return nil }
            chunk = try await readChunk(large, end, range, store)
            end += UInt64(chunk.bytes.count)
        }
    }

    /// Verified bytes of a large object in a leased buffer.
    private struct Chunk {
        let buffer: Region
        let bytes: Region
    }

    private func giveBack(_ chunk: Chunk?) {
        guard let chunk else { return }
        memory.giveBack(BufferLease(attaching: chunk.buffer))
    }

    /// Reads the units around `offset` and answers the part of them that lies in `range`.
    private func readChunk(
        _ large: LargeObject, _ offset: UInt64, _ range: ClosedRange<UInt64>,
        _ store: ObjectStore
    ) async throws(StoreError) -> Chunk {
        let unit = UInt64(StoreLimits.unitBytes)
        let start = offset / unit * unit
        let wanted = range.upperBound - start + 1
        let lease = await memory.lease(
            preferring: Int(min(wanted, UInt64(StoreLimits.transferBytesMax))),
            minimum: StoreLimits.unitBytes)
        let buffer = lease.detach()
        let count: Int
        do { count = try await store.read(large, offset: start, into: buffer) } catch {
            memory.giveBack(BufferLease(attaching: buffer))
            throw error
        }
        let end = min(start + UInt64(count), range.upperBound + 1)
        let bytes = buffer.part(from: Int(offset - start), count: Int(end - offset))
        counters.sentDirectBytes &+= UInt64(bytes.count)
        return Chunk(buffer: buffer, bytes: bytes)
    }

    /// Corked, so that what sendfile brings leaves in full segments: 64 KiB at a time it would
    /// push the rest of each batch, which cost a tenth of a large download's CPU.
    private func streamCorked(
        _ request: Request, _ large: LargeObject, _ range: ClosedRange<UInt64>, first: Chunk?,
        _ store: ObjectStore
    ) async -> Result<Void, StoreError> {
        let socket = connections[request.slot].socket
        _ = await loop.perform(.cork(socket: socket, isOn: true))
        let result = await stream(request, large, range, first: first, store)
        _ = await loop.perform(.cork(socket: socket, isOn: false))
        return result
    }

    private func stream(
        _ request: Request, _ large: LargeObject, _ range: ClosedRange<UInt64>, first: Chunk?,
        _ store: ObjectStore
    ) async -> Result<Void, StoreError> {
        var offset = range.lowerBound
        var pending = first
        while offset <= range.upperBound {
            if pending == nil, let sent = await sendFile(request.slot, large, offset, range, store)
            {
                guard sent > 0 else { return .success(()) }
                offset += sent
                continue
            }
            let chunk: Chunk
            if let waiting = pending.take() {
                chunk = waiting
            } else {
                do { chunk = try await readChunk(large, offset, range, store) } catch {
                    // Too late for a status: the connection ends short, never with wrong bytes.
                    counters.downloadErrors &+= 1
                    noteFailure(answer(for: error, request), number: request.number)
                    end(request.slot)
                    return .success(())
                }
            }
            let count = UInt64(chunk.bytes.count)
            let isSent = await send(
                request.slot, chunk.bytes, more: offset + count <= range.upperBound)
            giveBack(chunk)
            guard isSent else { return .success(()) }
            offset += count
        }
        return .success(())
    }

    /// Sends page-cached bytes without copying. Nil: not verified or not resident here, read them;
    /// 0: the connection is gone; else how many went out.
    private func sendFile(
        _ slot: Int, _ large: LargeObject, _ offset: UInt64, _ range: ClosedRange<UInt64>,
        _ store: ObjectStore
    ) async -> UInt64? {
        guard let file = store.fileRange(large, offset: offset) else { return nil }
        let window = min(file.count, range.upperBound - offset + 1, Core.sendFileBurst)
        var sent: UInt64 = 0
        var wasWarmed = false
        while sent < window {
            guard !connections[slot].flags.contains(.ending) else { return 0 }
            let result = await loop.perform(
                .sendFile(
                    socket: connections[slot].socket, file: file.file, offset: file.offset + sent,
                    count: UInt32(window - sent), isKnownResident: sent > 0))
            if result > 0 {
                sent += UInt64(result)
                counters.bytesOut &+= UInt64(result)
                counters.sentFileBytes &+= UInt64(result)
            }
            if sent == window { break }
            // Sent in part means that the socket is full, too.
            guard result > 0 || KernelError(result: result) == .wouldBlock else {
                if KernelError(result: result) == .notResident, sent == 0 {
                    if wasWarmed { return nil }
                    // Verified before and asked for again: worth having in memory.
                    await store.warm(large, offset: offset, count: window)
                    wasWarmed = true
                    continue
                }
                counters.connectionErrors += 1
                end(slot)
                return 0
            }
            guard await isWritable(slot) else { return 0 }
        }
        return sent
    }

    /// Waits until the socket takes more. False if the connection is gone or too slow.
    private func isWritable(_ slot: Int) async -> Bool {
        let ready = await interruptibly(
            slot, .poll(descriptor: connections[slot].socket, readiness: .writable),
            seconds: settings.sendTimeoutSeconds)
        if ready > 0, !connections[slot].flags.contains(.timedOut) { return true }
        end(slot)
        return false
    }
}
