/// Objects that lie beside another under its name and `.br`, `.zst` or `.gz`: what the other is
/// when coded, made by whoever uploaded both. With `downloads.precompressed` they are sent in its
/// place to who accepts the coding (RFC 9110 §12.5.3), if the other is text and is there.
///
/// Published paths are immutable, but one may be deleted and published anew: what was made of its
/// predecessor is older then, and is not sent for it. Both may have been made in the same second.

import HTTP
import IO
import Loop
import Store

/// What is sent for a path.
struct Representation {
    let pinned: Pinned
    /// Of what the path names, where that is another object; nil: its own.
    var mediaType: [UInt8]?
    var coding: ContentCoding?

    init(_ pinned: Pinned) { self.pinned = pinned }
}

extension Core {
    /// Sends `original` or what it is when coded; releases it.
    func downloadNegotiated(
        _ request: Request, _ original: Pinned, _ store: ObjectStore
    ) async -> Result<UInt64, StoreError> {
        let coded: Representation?
        do throws(StoreError) { coded = try await self.coded(original, request, store) } catch {
            store.release(original)
            return .failure(error)
        }
        let chosen = coded ?? Representation(original)
        if coded != nil { store.release(original) }
        let result = await download(request, chosen, store)
        store.release(chosen.pinned)
        return result
    }

    private func coded(
        _ original: Pinned, _ request: Request, _ store: ObjectStore
    ) async throws(StoreError) -> Representation? {
        let accepted = AcceptedCodings(request.head, in: request.bytes.span).inOrder
        for coding in accepted {
            let name = original.name + Array(coding.suffix.utf8)
            guard name.count <= StoreLimits.nameBytesMax, let pinned = try await store.find(name)
            else { continue }
            // Each coding takes a byte at least, also of nothing.
            guard pinned.object.length > 0, pinned.object.modified >= original.object.modified
            else {
                store.release(pinned)
                continue
            }
            let type: [UInt8]
            do throws(StoreError) { type = try await mediaType(of: original, store) } catch {
                store.release(pinned)
                throw error
            }
            guard MediaType.isTextual(type.span) else {
                store.release(pinned)
                return nil
            }
            var representation = Representation(pinned)
            representation.mediaType = type
            representation.coding = coding
            return representation
        }
        return nil
    }

    private func mediaType(
        of pinned: Pinned, _ store: ObjectStore
    ) async throws(StoreError) -> [UInt8] {
        switch pinned.object.kind {
        case .large: return try await store.describe(pinned).mediaType
        case .small:
            let object = try await store.readSmall(pinned)
            let type = object.mediaType
            memory.giveBack(object.takeLease())
            return type
        }
    }

    func fields(
        of representation: Representation, checksum: UInt32, mediaType: [UInt8]
    ) -> ObjectFields {
        let object = representation.pinned.object
        return ObjectFields(
            length: object.length, sequence: object.sequence, checksum: checksum,
            modifiedSeconds: object.modified, hasRanges: settings.sendsRanges,
            isNegotiated: settings.sendsPrecompressed && MediaType.isTextual(mediaType.span),
            coding: representation.coding)
    }
}
