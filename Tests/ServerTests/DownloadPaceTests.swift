// Goal:   a fast client is read ahead for; a slow one holds little.

import Testing

@testable import Server

@Suite struct `A download's pace` {
    private let millisecond: UInt64 = 1_000_000

    @Test func `grows first in size, then in depth, up to its limits`() {
        var pace = DownloadPace()
        #expect(pace.bufferBytes == 256 << 10)
        var seen: [[Int]] = []
        for _ in 0..<6 {
            pace.took(nanoseconds: millisecond)
            seen.append([pace.bufferBytes >> 10, pace.depth])
        }
        #expect(seen == [[512, 2], [1024, 2], [1024, 3], [1024, 4], [1024, 5], [1024, 5]])
    }

    @Test func `falls to one small buffer for a client that takes nothing`() {
        var pace = DownloadPace()
        for _ in 0..<6 { pace.took(nanoseconds: millisecond) }
        pace.took(nanoseconds: 300 * millisecond)
        #expect(pace.depth == DownloadPace.depthMax)
        var seen: [[Int]] = []
        for _ in 0..<6 {
            pace.took(nanoseconds: 401 * millisecond)
            seen.append([pace.bufferBytes >> 10, pace.depth])
        }
        #expect(seen == [[1024, 1], [512, 1], [256, 1], [128, 1], [64, 1], [64, 1]])
    }
}
