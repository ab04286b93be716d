// The superblock: what it says comes back, what is not one is told apart.

import Checksums
import Testing

@testable import Volumes

@Suite struct `A superblock` {
    let block = Superblock(instance: ours, volume: VolumeID(7), volumeClass: .large)

    @Test(arguments: VolumeClass.allCases) func `comes back as it was`(kind: VolumeClass) throws {
        let block = Superblock(instance: ours, volume: VolumeID(.max), volumeClass: kind)
        let bytes = encoded(block)
        #expect(try Superblock.decode(bytes.span.rawBytes, expecting: ours) == block)
        #expect(try Superblock.decode(bytes.span.rawBytes, expecting: nil) == block)
    }

    @Test func `keeps the places that newer formats rely on`() {
        let bytes = encoded(block)
        #expect(Array(bytes[0..<8]) == Array("MILLRACE".utf8))
        #expect(Array(bytes[8..<12]) == [1, 0, 0, 0])
        #expect(Array(bytes[24..<28]) == [0x00, 0x11, 0x22, 0x33])
        let covered = bytes.span.rawBytes.extracting(first: 4092)
        #expect(bytes.span.rawBytes.integer(at: 4092) == crc32c(covered))
    }

    @Test func `of another instance is refused`() {
        let other = InstanceID(high: 1, low: 2)
        #expect(decoded(encoded(block), expecting: other) == .failure(.foreignInstance(ours)))
    }

    @Test func `of a newer format is refused and named`() {
        var bytes = encoded(block)
        bytes[8] = 2
        bytes[100] = 0xff  // Whatever the newer format keeps there.
        seal(&bytes)
        #expect(decoded(bytes) == .failure(.newerFormat(2)))
    }

    @Test func `of a format before the first is damaged`() {
        var bytes = encoded(block)
        bytes[8] = 0
        seal(&bytes)
        #expect(decoded(bytes) == .failure(.damaged))
    }

    @Test(arguments: [12, 13, 14, 15, 40, 43]) func `with a field out of range is damaged`(
        offset: Int
    ) {
        var bytes = encoded(block)
        bytes[offset] ^= 0x80
        seal(&bytes)
        #expect(decoded(bytes) == .failure(.damaged))
    }

    @Test func `of zeros is no superblock`() {
        #expect(decoded([UInt8](repeating: 0, count: 4096)) == .failure(.notMillrace))
    }

    @Test func `is refused with any bit flipped`() {
        let whole = encoded(block)
        var accepted = 0
        for bit in 0..<whole.count * 8 {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            switch decoded(bytes) {
            case .success: accepted += 1
            case .failure(let error):
                #expect(error == (bit < 64 ? .notMillrace : .damaged))
            }
        }
        #expect(accepted == 0)
    }

    private func encoded(_ block: Superblock) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: 4096)
        edit(&bytes) { block.encode(into: &$0) }
        return bytes
    }

    private func seal(_ bytes: inout [UInt8]) {
        edit(&bytes) { raw in
            let checksum = crc32c(raw.bytes.extracting(first: 4092))
            raw.put(checksum, at: 4092)
        }
    }

    private func decoded(
        _ bytes: [UInt8], expecting: InstanceID? = ours
    ) -> Result<Superblock, SuperblockError> {
        do throws(SuperblockError) {
            return .success(try Superblock.decode(bytes.span.rawBytes, expecting: expecting))
        } catch {
            return .failure(error)
        }
    }
}
