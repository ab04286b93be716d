// Sizes and durations: every spelling that is taken, and the near misses that are not.

import Testing

@testable import Configuration

@Suite struct `A size` {
    @Test(arguments: [
        ("0", 0), ("512", 512), ("512B", 512), ("1KB", 1024), ("1KiB", 1024), ("256kb", 262_144),
        ("1MB", 1 << 20), ("1MiB", 1 << 20), ("10 MiB", 10 << 20), ("64GiB", 64 << 30),
        ("2GB", 2 << 30), ("3TB", 3 << 40), ("9223372036854775807", Int.max),
    ])
    func `is a number and a unit of 1024s`(text: String, bytes: Int) {
        #expect(parsedByteCount(text) == bytes)
    }

    @Test(arguments: [
        "", " ", "KB", "-1", "+1", "1.5GB", "1e3", "1 ", " 1", "1  KB", "1KBs", "1k", "0x10",
        "1_000",
        "9223372036854775808", "9007199254740992KiB", "１KB", "1KB\n",
    ])
    func `is refused in any other form`(text: String) {
        #expect(parsedByteCount(text) == nil)
    }

    @Test(arguments: [0, 1, 1000, 1024, 1536, 1 << 20, (1 << 20) + 1, 64 << 30, 5 << 40])
    func `reads back as it is spelled`(bytes: Int) {
        #expect(parsedByteCount(spelled(byteCount: bytes)) == bytes)
    }

    @Test func `is spelled in the largest unit that divides it`() {
        #expect(spelled(byteCount: 64 << 20) == "64MiB")
        #expect(spelled(byteCount: 1536) == "1536")
        #expect(spelled(byteCount: 0) == "0")
    }
}

@Suite struct `A duration` {
    @Test(arguments: [
        ("250ms", 250), ("30s", 30_000), ("30 s", 30_000), ("5m", 300_000), ("24h", 86_400_000),
        ("7d", 604_800_000), ("0s", 0),
    ])
    func `is a number and a unit`(text: String, milliseconds: Int) {
        #expect(parsedDuration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "s", "30", "1.5s", "-1s", "1h30m", "30S", "5min", "1w", "9223372036854775807h",
    ])
    func `is refused in any other form`(text: String) {
        #expect(parsedDuration(text) == nil)
    }

    @Test(arguments: [0, 1, 250, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000])
    func `reads back as it is spelled`(milliseconds: Int) {
        let value = Duration.milliseconds(milliseconds)
        #expect(parsedDuration(spelled(duration: value)) == value)
    }
}
