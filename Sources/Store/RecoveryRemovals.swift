/// Removals at a start that the catalog knows of: what they outlive, and what they ended.
///
/// A block that cannot be read refuses a start where it may matter, and nowhere else: a removal
/// that is finished, of which only its row is left, holds nobody up.

import Catalog
import IO
import Volumes

extension Recovery {
    /// As if their segments had been scanned: they may outlive records that failed.
    func add(_ removals: [CatalogRemoval], to replay: inout Replay) async throws(StoreError) {
        var unread: [(removal: CatalogRemoval, error: StoreError)] = []
        for removal in removals {
            do throws(StoreError) {
                guard let record = try await record(of: removal) else { continue }
                note(record)
                replay.add(record)
            } catch .unreadable(let volume, let offset, let code) {
                let error = StoreError.unreadable(volume: volume, offset: offset, error: code)
                unread.append((removal, error))
            }
        }
        for (removal, error) in unread {
            // Its row tells no name, only what that hashes to: not enough to destroy a record by.
            for record in replay.objects(before: removal.sequence)
            where Removal.nameHash(record.name) == removal.nameHash {
                guard try isOutdated(record) else { throw error }
            }
            state.report(.removalUnread(error))
        }
    }

    /// The record of a removal that the catalog knows of, unless its block is something else's by
    /// now: then it had nothing left to outlive.
    private func record(of removal: CatalogRemoval) async throws(StoreError) -> Record? {
        guard let address = BlockAddress(packed: removal.address),
            let record = try await header(at: address), record.header.kind == .removal,
            record.header.stamp.sequence == removal.sequence
        else { return nil }
        return record
    }

    /// Where the header lies that a known removal has ended, if it may still be there. `found` is
    /// what objects occupy that the catalog is still to be told of.
    func subject(
        of removal: CatalogRemoval, beside found: [Extent]
    ) async throws(StoreError) -> BlockAddress? {
        guard let address = BlockAddress(packed: removal.removedAddress) else { return nil }
        do throws(StoreError) {
            guard let record = try await header(at: address),
                record.header.stamp.sequence < removal.sequence,
                Removal.nameHash(record.name) == removal.nameHash
            else { return nil }
            return address
        } catch .unreadable(let volume, let offset, let code) {
            // What lives there the catalog knows, or the scan of its segment has found, for it may
            // have been read then: so it is what was removed, or nothing, and zeros are right for
            // both.
            guard try isFree(address, beside: found) else { return nil }
            state.report(
                .removalUnread(.unreadable(volume: volume, offset: offset, error: code)))
            return address
        }
    }

    /// Whether it is a block that records may lie in, and nothing that lives has it.
    private func isFree(
        _ address: BlockAddress, beside found: [Extent]
    ) throws(StoreError) -> Bool {
        let segment = SegmentAllocator.extent(
            of: SegmentAllocator.segment(of: address), in: address.volume)
        guard VolumeName(address.volume).volumeClass == .small,
            segment.blocks.contains(address.block)
        else { return false }
        return try !(recordsInUse() + found).contains {
            $0.volume == address.volume && $0.blocks.contains(address.block)
        }
    }
}
