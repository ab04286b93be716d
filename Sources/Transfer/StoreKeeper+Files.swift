// Files into a stopped store and out of it, on its core: straight-line code that waits for the ring
// only, so that many files are under way at once and share each flush.

internal import Files
internal import IO
internal import Loop
internal import Runtime
internal import Store
internal import Trees

extension StoreKeeper {
    /// Bytes read or written at once; what the store takes and brings at once.
    private static let stepBytes = StoreLimits.transferBytesMax

    private var openStore: ObjectStore {
        guard let store else { preconditionFailure("the store is closed while work goes on") }
        return store
    }

    func find(_ name: [UInt8]) async -> Result<Facts?, DoorError> {
        await answered { (keeper: isolated StoreKeeper) in
            guard let pinned = try await keeper.openStore.find(name) else { return nil }
            keeper.openStore.release(pinned)
            return Facts(pinned.object)
        }
    }

    func page(prefix: [UInt8], after: [UInt8]?) async -> Result<ObjectPage, DoorError> {
        await answered { (keeper: isolated StoreKeeper) in
            let limit = ObjectPage.objectsMax
            let listed = try await keeper.openStore.list(
                prefix: prefix, after: after, limit: limit)
            return ObjectPage(
                objects: listed.map { ObjectLine(name: $0.name, facts: Facts($0.object)) },
                isLast: listed.count < limit)
        }
    }

    // MARK: In

    func put(
        _ file: SourceFile, _ description: UploadDescription, _ moved: ByteCounter
    ) async -> Result<PutEnd, DoorError> {
        await answered { (keeper: isolated StoreKeeper) in
            let isSmall = description.length <= UInt64(StoreLimits.smallBytesMax)
            let outcome =
                isSmall
                ? try await keeper.putSmall(file, description, moved)
                : try await keeper.putLarge(file, description, moved)
            switch outcome {
            case .created, .existsIdentical: return .published
            case .existsDifferent: return .conflict
            }
        }
    }

    private func putSmall(
        _ file: SourceFile, _ description: UploadDescription, _ moved: ByteCounter
    ) async throws -> PutOutcome {
        let upload = try await openStore.beginSmall(description)
        do {
            try await fill(upload.dataRegion, from: file.file, at: 0, moved)
            guard file.isUnchanged else { throw SourceFile.changed }
        } catch {
            upload.abandon()
            throw error
        }
        return try await upload.commit(.durable)
    }

    private func putLarge(
        _ file: SourceFile, _ description: UploadDescription, _ moved: ByteCounter
    ) async throws -> PutOutcome {
        let upload = try await openStore.beginLarge(description)
        do {
            while upload.received < description.length {
                let left = description.length - upload.received
                let buffer = await lease(for: left)
                let count = Int(min(left, UInt64(buffer.count)))
                do {
                    let part = buffer.part(from: 0, count: count)
                    try await fill(part, from: file.file, at: upload.received, moved)
                } catch {
                    memory.giveBack(BufferLease(attaching: buffer))
                    throw error
                }
                try await upload.write(BufferLease(attaching: buffer), count: count)
            }
            guard file.isUnchanged else { throw SourceFile.changed }
        } catch {
            await upload.abandon()
            throw error
        }
        return try await upload.commit(.durable)
    }

    // MARK: Out

    func fetch(
        _ object: ObjectLine, into file: OpenFile, _ moved: ByteCounter
    ) async -> Result<Void, DoorError> {
        await answered { (keeper: isolated StoreKeeper) in
            let store = keeper.openStore
            guard let pinned = try await store.find(object.name) else {
                throw DoorError.failed("it is gone")
            }
            defer { store.release(pinned) }
            switch pinned.object.kind {
            case .small:
                let small = try await store.readSmall(pinned)
                let data = small.data
                let buffer = small.takeLease().detach()
                defer { keeper.memory.giveBack(BufferLease(attaching: buffer)) }
                try await keeper.write(data, to: file, at: 0, moved)
            case .large: try await keeper.writeLarge(pinned, to: file, moved)
            }
        }
    }

    private func writeLarge(
        _ pinned: Pinned, to file: OpenFile, _ moved: ByteCounter
    ) async throws {
        let large = try await openStore.describe(pinned)
        let buffer = await lease(for: pinned.object.length)
        defer { memory.giveBack(BufferLease(attaching: buffer)) }
        for segment in large.segments {
            var offset: UInt64 = 0
            while offset < segment.length {
                let count = try await openStore.read(segment, offset: offset, into: buffer)
                let part = buffer.part(from: 0, count: count)
                try await write(part, to: file, at: segment.start + offset, moved)
                offset += UInt64(count)
            }
        }
    }

    // MARK: Comparing

    func holds(
        _ file: OpenFile, byteCount: UInt64, as name: [UInt8], type: [UInt8]?
    ) async -> Result<Bool, DoorError> {
        await answered { (keeper: isolated StoreKeeper) in
            let store = keeper.openStore
            guard let pinned = try await store.find(name) else { return false }
            defer { store.release(pinned) }
            guard pinned.object.length == byteCount else { return false }
            if let type, try await keeper.mediaType(of: pinned) != type { return false }
            return try await keeper.matches(pinned, file)
        }
    }

    private func mediaType(of pinned: Pinned) async throws -> [UInt8] {
        switch pinned.object.kind {
        case .small:
            let small = try await openStore.readSmall(pinned)
            let type = small.mediaType
            memory.giveBack(small.takeLease())
            return type
        case .large: return try await openStore.describe(pinned).mediaType
        }
    }

    private func matches(_ pinned: Pinned, _ file: OpenFile) async throws -> Bool {
        let buffer = await lease(for: pinned.object.length)
        defer { memory.giveBack(BufferLease(attaching: buffer)) }
        guard pinned.object.kind == .large else {
            let part = buffer.part(from: 0, count: Int(pinned.object.length))
            try await fill(part, from: file, at: 0, nil)
            return try await openStore.matches(pinned, received: part)
        }
        let large = try await openStore.describe(pinned)
        var offset: UInt64 = 0
        while offset < pinned.object.length {
            let count = Int(min(pinned.object.length - offset, UInt64(buffer.count)))
            let part = buffer.part(from: 0, count: count)
            try await fill(part, from: file, at: offset, nil)
            guard try await openStore.matches(large, offset: offset, received: part) else {
                return false
            }
            offset += UInt64(count)
        }
        return true
    }

    // MARK: The ring

    /// A buffer of whole units for up to `bytes` bytes.
    private func lease(for bytes: UInt64) async -> Region {
        let wanted = max(
            StoreLimits.unitBytes, Int(min(bytes, UInt64(StoreKeeper.stepBytes))))
        return await memory.lease(preferring: wanted, minimum: StoreLimits.unitBytes).detach()
    }

    /// All of `target`; a file that has become shorter fails.
    private func fill(
        _ target: Region, from file: OpenFile, at offset: UInt64, _ moved: ByteCounter?
    ) async throws(DoorError) {
        var done = 0
        while done < Int(target.count) {
            let rest = target.part(from: done, count: Int(target.count) - done)
            let count = await loop.perform(
                .read(
                    file: Descriptor(file.descriptor), offset: offset + UInt64(done), target: rest))
            if let error = KernelError(result: count) {
                throw .failed("cannot read it: \(systemMessage(error.code))")
            }
            guard count > 0 else { throw SourceFile.changed }
            done += Int(count)
            moved?.add(Int(count))
        }
    }

    private func write(
        _ source: Region, to file: OpenFile, at offset: UInt64, _ moved: ByteCounter
    ) async throws(DoorError) {
        var done = 0
        while done < Int(source.count) {
            let rest = source.part(from: done, count: Int(source.count) - done)
            let count = await loop.perform(
                .write(
                    file: Descriptor(file.descriptor), offset: offset + UInt64(done), source: rest))
            if let error = KernelError(result: count) { throw DoorError(file.failed(error.code)) }
            done += Int(count)
            moved.add(Int(count))
        }
    }

    private func answered<Answer>(
        _ work: (isolated StoreKeeper) async throws -> Answer
    ) async -> Result<Answer, DoorError> {
        // As a server does each second.
        store?.cleanUpLate()
        do { return .success(try await work(self)) } catch {
            return .failure(
                DoorError(error, volumesComeBack: store?.bringsVolumesBack ?? false))
        }
    }
}

extension Facts {
    init(_ object: StoredObject) {
        self.init(byteCount: object.length, modified: object.modified)
    }
}
