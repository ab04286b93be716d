// Goal:   no transfer leases more than its link, its path and its share of the memory allow.

import Testing

@testable import Engine

@Suite struct `The selector of buffers` {
    private func selector(
        _ limits: BufferLimits = BufferLimits(), transfers: Int = 1, poolMiB: Int = 32
    ) -> BufferSelector {
        var selector = BufferSelector(
            limits, downloadBytesMin: 64 << 10, poolBytes: poolMiB << 20)
        for _ in 0..<transfers { selector.began() }
        return selector
    }

    private func fast(_ selector: BufferSelector, _ path: BufferSelector.Path) -> TransferPace {
        var pace = selector.pace(path)
        for _ in 0..<10 { pace.moved(nanoseconds: 1) }
        return pace
    }

    @Test(
        "A fast download's buffers, by how many share 32 MiB",
        arguments: [
            (1, 1024, 5), (6, 1024, 5), (8, 1024, 4), (16, 1024, 2), (32, 1024, 1), (33, 512, 1),
            (64, 512, 1), (512, 64, 1), (100_000, 64, 1),
        ])
    func download(transfers: Int, kibibytes: Int, depth: Int) {
        let selector = selector(transfers: transfers)
        let pace = fast(selector, .download)
        #expect(selector.bufferBytes(.download, pace) == kibibytes << 10)
        #expect(selector.depth(.download, pace) == depth)
    }

    @Test func `a share ends with its transfer`() {
        var selector = selector(transfers: 64)
        let pace = fast(selector, .upload)
        #expect(selector.bufferBytes(.upload, pace) == 512 << 10)
        for _ in 0..<64 { selector.ended() }
        #expect(selector.bufferBytes(.upload, pace) == 1 << 20)
        #expect(selector.transfers == 0)
    }

    @Test func `a slow link has small buffers, however much memory there is`() {
        let selector = selector()
        var pace = selector.pace(.upload)
        for _ in 0..<10 { pace.moved(nanoseconds: 10_000_000_000) }
        #expect(selector.bufferBytes(.upload, pace) == 32 << 10)
        #expect(selector.depth(.upload, pace) == 1)
    }

    @Test func `downloads have at least what one checksum covers`() {
        let selector = selector(BufferLimits(largest: 32 << 10))
        #expect(selector.bufferBytes(.download, fast(selector, .download)) == 64 << 10)
        #expect(selector.bufferBytes(.upload, fast(selector, .upload)) == 32 << 10)
        #expect(selector.bufferBytesMin(.download) == 64 << 10)
        #expect(selector.bufferBytesMin(.upload) == 32 << 10)
    }

    @Test func `a pool of one buffer serves one after the other`() {
        let selector = selector(transfers: 3, poolMiB: 1)
        let pace = fast(selector, .download)
        #expect(selector.bufferBytes(.download, pace) == 256 << 10)
        #expect(selector.depth(.download, pace) == 1)
    }

    @Test func `the two ways learn for themselves`() {
        var selector = selector()
        var time: UInt32 = 0
        for number in 0..<200_000 as Range<UInt64> {
            let size = selector.bufferBytes(.upload, fast(selector, .upload))
            // Smaller is cheaper: a fixed cost, and one that grows with the buffer.
            time &+= UInt32(size >> 10) + UInt32(size >> 14) * UInt32(size >> 14) / 4
            guard selector.moved(.upload, size, now: number * 1000) else { continue }
            selector.measured(
                .upload, microseconds: time & 0x3fff_ffff, leasedBytes: 0, now: number * 1000)
        }
        #expect(selector.bestBytes(.upload) == 32 << 10)
        #expect(selector.changes(.upload) == 5)
        #expect(selector.bestBytes(.download) == 1 << 20)
        #expect(selector.trials(.download) == 0)
    }
}
