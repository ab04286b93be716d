// Goal:   what was in the page cache a while ago is believed to be there; what was missed is
//         brought there for whoever wants all of it, or the second time.

import Testing

@testable import Store

@Suite struct `Cached windows` {
    private let window = CachedWindows.bytes
    private let second: UInt64 = 1_000_000_000

    @Test func `are fresh for a while, once all of them was found`() {
        var windows = CachedWindows(objectBytes: 3 * window + 1)
        #expect(!windows.isFresh(0, now: 5 * second))
        windows.found(window..<2 * window, now: 5 * second)
        #expect(windows.isFresh(window, now: 5 * second))
        #expect(windows.isFresh(2 * window - 1, now: 15 * second))
        #expect(!windows.isFresh(2 * window - 1, now: 15 * second + 1))
        #expect(!windows.isFresh(0, now: 5 * second))
        #expect(!windows.isFresh(2 * window, now: 5 * second))
    }

    @Test func `are not believed for a part of them`() {
        var windows = CachedWindows(objectBytes: 2 * window)
        windows.found(1..<window, now: second)
        windows.found(0..<window - 1, now: second)
        #expect(!windows.isFresh(0, now: second))
    }

    @Test func `end with the object`() {
        var windows = CachedWindows(objectBytes: window + 10)
        #expect(windows.window(of: window + 9) == window..<window + 10)
        windows.found(window..<window + 10, now: second)
        #expect(windows.isFresh(window + 3, now: second))
    }

    @Test func `are all forgotten when a byte was missing`() {
        var windows = CachedWindows(objectBytes: 4 * window)
        windows.found(0..<window, now: second)
        _ = windows.missed(3 * window..<3 * window + 5, now: 2 * second)
        #expect(!windows.isFresh(0, now: 2 * second))
        // What is found by then is as old as what was missed.
        windows.found(0..<window, now: 2 * second)
        #expect(!windows.isFresh(0, now: 2 * second))
        windows.found(0..<window, now: 2 * second + 1)
        #expect(windows.isFresh(0, now: 2 * second + 1))
    }

    @Test func `are worth caching whole at once, in parts the second time`() {
        var windows = CachedWindows(objectBytes: 2 * window + 10)
        let outcomes = [
            0..<window, window..<window + 9, 2 * window..<2 * window + 10,
            window + 50..<window + 60, window..<window + 9, window + 1..<2 * window,
        ].map { windows.missed($0, now: second) }
        #expect(outcomes == [true, false, true, true, false, true])
    }
}
