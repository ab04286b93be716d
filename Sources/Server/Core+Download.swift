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
