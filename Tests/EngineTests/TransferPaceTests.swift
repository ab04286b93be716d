// Goal:   a fast client is read ahead for; a slow one holds little.

import Testing

@testable import Engine

@Suite struct `A transfer's pace` {
    private let millisecond: UInt64 = 1_000_000

    private func download(_ limits: BufferLimits = BufferLimits()) -> TransferPace {
        BufferSelector(limits, downloadBytesMin: 64 << 10, poolBytes: 32 << 20).pace(.download)
    }

    /// Sizes in KiB and depths after each of `count` buffers that took `milliseconds`.
    private func steps(
        _ pace: inout TransferPace, _ count: Int, milliseconds: UInt64
    ) -> [[Int]] {
        (0..<count).map { _ in
            pace.moved(nanoseconds: milliseconds * millisecond)
            return [pace.bufferBytes >> 10, pace.depth]
        }
    }

    @Test func `grows first in size, then in depth, up to its limits`() {
        var pace = download()
        #expect(pace.bufferBytes == 256 << 10)
        let seen = steps(&pace, 6, milliseconds: 1)
        #expect(seen == [[512, 2], [1024, 2], [1024, 3], [1024, 4], [1024, 5], [1024, 5]])
    }

    @Test func `begins where the one before it had come to, within its limits`() {
        let wide = BufferSelector(
            BufferLimits(), downloadBytesMin: 64 << 10, poolBytes: 32 << 20)
        #expect(wide.pace(.upload, shown: 1 << 20).bufferBytes == 1 << 20)
        #expect(wide.pace(.upload, shown: 32 << 10).bufferBytes == 32 << 10)
        #expect(wide.pace(.download, shown: 32 << 10).bufferBytes == 64 << 10)
        let narrow = BufferSelector(
            BufferLimits(largest: 128 << 10), downloadBytesMin: 64 << 10, poolBytes: 32 << 20)
        #expect(narrow.pace(.upload, shown: 1 << 20).bufferBytes == 128 << 10)
        let fixed = BufferSelector(
            BufferLimits(isAdaptive: false), downloadBytesMin: 64 << 10, poolBytes: 32 << 20)
        #expect(fixed.pace(.upload, shown: 32 << 10).bufferBytes == 1 << 20)
    }

    @Test func `falls to one small buffer for a client that takes nothing`() {
        var pace = download()
        _ = steps(&pace, 6, milliseconds: 1)
        #expect(steps(&pace, 1, milliseconds: 300) == [[1024, 5]])
        let seen = steps(&pace, 6, milliseconds: 401)
        #expect(seen == [[1024, 1], [512, 1], [256, 1], [128, 1], [64, 1], [64, 1]])
    }

    @Test func `of an upload has one buffer, of 32 KiB at least`() {
        let selector = BufferSelector(
            BufferLimits(), downloadBytesMin: 64 << 10, poolBytes: 32 << 20)
        var pace = selector.pace(.upload)
        #expect(steps(&pace, 3, milliseconds: 10) == [[512, 1], [1024, 1], [1024, 1]])
        #expect(steps(&pace, 1, milliseconds: 500) == [[1024, 1]])
        let seen = steps(&pace, 6, milliseconds: 2000).map { $0[0] }
        #expect(seen == [512, 256, 128, 64, 32, 32])
    }

    @Test func `keeps to the limits, and to the largest where nothing adapts`() {
        var narrow = download(BufferLimits(smallest: 64 << 10, largest: 128 << 10))
        #expect(narrow.bufferBytes == 128 << 10)
        #expect(steps(&narrow, 2, milliseconds: 1) == [[128, 3], [128, 4]])
        var high = download(BufferLimits(smallest: 512 << 10))
        #expect(high.bufferBytes == 512 << 10)
        #expect(steps(&high, 3, milliseconds: 500).last == [512, 1])
        var fixed = download(BufferLimits(largest: 128 << 10, isAdaptive: false))
        #expect(steps(&fixed, 3, milliseconds: 500) == [[128, 1], [128, 1], [128, 1]])
    }
}
