// What a run says of itself: the summary, the line that changes, and how long it waits.

import Testing

@testable import Trees

@Suite struct `The counts of a run` {
    @Test func `say what became of all files`() {
        var counts = TransferCounts()
        counts.add(.transferred(bytes: 1024))
        counts.add(.transferred(bytes: 512))
        counts.add(.alreadyThere(bytes: 3))
        #expect(counts.isClean)
        counts.add(.skipped)
        #expect(!counts.isClean)
        counts.add(.conflict(bytes: 5))
        counts.add(.failed(bytes: 7))
        #expect(counts.filesDone == 5)
        #expect(counts.bytesDone == 1551)
        #expect(
            counts.summary(.importing, isDry: false)
                == "imported 2 files (1.5 KiB), 1 already there, 1 skipped, 1 in conflict, 1 failed"
        )
    }

    @Test func `say what would have become of them`() {
        var counts = TransferCounts()
        counts.add(.transferred(bytes: 1))
        #expect(
            counts.summary(.exporting, isDry: true)
                == "would have exported 1 file (1 byte), 0 already there, 0 skipped,"
                + " 0 in conflict, 0 failed")
    }

    @Test(arguments: [.skipped, .conflict(bytes: 0), .failed(bytes: 0)] as [FileEnd])
    func `are clean only if nothing is missing`(end: FileEnd) {
        var counts = TransferCounts()
        counts.add(end)
        #expect(!counts.isClean)
    }
}

@Suite struct `The line of progress` {
    private func counts(files: Int, bytesEach: UInt64) -> TransferCounts {
        var counts = TransferCounts()
        for _ in 0..<files { counts.add(.transferred(bytes: bytesEach)) }
        return counts
    }

    @Test func `says files, bytes and rate`() {
        var line = ProgressLine()
        _ = line.text(TransferCounts(), bytesMoved: 0, total: nil, at: 100, columns: nil)
        let text = line.text(
            counts(files: 2, bytesEach: 1 << 20), bytesMoved: 2 << 20, total: nil, at: 1100,
            columns: nil)
        #expect(text == "2 files, 2.0 MiB, 2.0 MiB/s")
    }

    @Test func `says what is left once that is known`() {
        var line = ProgressLine()
        let total = ProgressLine.Total(files: 10, bytes: 10 << 20)
        _ = line.text(TransferCounts(), bytesMoved: 0, total: total, at: 0, columns: nil)
        let text = line.text(
            counts(files: 2, bytesEach: 1 << 20), bytesMoved: 2 << 20, total: total, at: 1000,
            columns: nil)
        #expect(text == "2 of 10 files, 2.0 MiB of 10 MiB, 2.0 MiB/s, 4 s left")
    }

    @Test func `goes by the files where they take longer than their bytes`() {
        var line = ProgressLine()
        let total = ProgressLine.Total(files: 1000, bytes: 1000)
        _ = line.text(TransferCounts(), bytesMoved: 0, total: total, at: 0, columns: nil)
        var done = TransferCounts()
        done.add(.transferred(bytes: 901))
        let text = line.text(done, bytesMoved: 901, total: total, at: 1000, columns: nil)
        #expect(text.hasSuffix("16:39 left"))
    }

    @Test func `counts the bytes of a file that is not finished`() {
        var line = ProgressLine()
        let total = ProgressLine.Total(files: 1, bytes: 100 << 20)
        _ = line.text(TransferCounts(), bytesMoved: 0, total: total, at: 0, columns: nil)
        let text = line.text(
            TransferCounts(), bytesMoved: 10 << 20, total: total, at: 1000, columns: nil)
        #expect(text == "0 of 1 files, 10 MiB of 100 MiB, 10 MiB/s, 9 s left")
    }

    @Test func `has the rate of the last five seconds`() {
        var line = ProgressLine()
        for second in 0...20 as ClosedRange<UInt64> {
            let moved = second < 10 ? second << 20 : 10 << 20
            let text = line.text(
                TransferCounts(), bytesMoved: moved, total: nil, at: second * 1000, columns: nil)
            if second == 9 { #expect(text.hasSuffix("1.0 MiB/s")) }
            if second == 20 { #expect(text.hasSuffix("0 bytes/s")) }
        }
    }

    @Test(
        arguments: [
            (0, 0, 0, "--------------------"), (5, 50, 0, "##########----------"),
            (5, 100, 0, "##########----------"), (9, 50, 0, "##########----------"),
            (5, 0, 50, "##########----------"), (10, 100, 0, "####################"),
        ] as [(Int, UInt64, UInt64, String)])
    func `has a bar on a terminal`(files: Int, bytes: UInt64, moved: UInt64, bar: String) {
        var (counts, line) = (TransferCounts(), ProgressLine())
        for file in 0..<files { counts.add(.transferred(bytes: file == 0 ? bytes : 0)) }
        let total = ProgressLine.Total(files: 10, bytes: 100)
        let text = line.text(counts, bytesMoved: moved, total: total, at: 0, columns: 80)
        #expect(text.hasPrefix("[\(bar)] \(files) of 10 files, "))
    }

    @Test func `has a full bar where there is nothing to do`() {
        var line = ProgressLine()
        let none = ProgressLine.Total(files: 0, bytes: 0)
        let text = line.text(TransferCounts(), bytesMoved: 0, total: none, at: 0, columns: 80)
        #expect(text.hasPrefix("[####################] 0 of 0 files"))
    }

    @Test func `fits its columns`() {
        var line = ProgressLine()
        let text = line.text(TransferCounts(), bytesMoved: 0, total: nil, at: 0, columns: 5)
        #expect(text == "0 fil")
    }

    @Test(
        arguments: [
            (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
            (10 << 10, "10 KiB"), (1023 << 10, "1023 KiB"), (1 << 20, "1.0 MiB"),
            (5 << 30, "5.0 GiB"), (UInt64.max, "15 EiB"),
        ] as [(UInt64, String)])
    func `has quantities that people read`(count: UInt64, text: String) {
        #expect(Quantity.bytes(count) == text)
    }

    @Test(
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1:00"), (125, "2:05"), (3600, "1:00:00"),
            (3725, "1:02:05"),
        ] as [(UInt64, String)])
    func `has times that people read`(count: UInt64, text: String) {
        #expect(Quantity.seconds(count) == text)
    }
}

@Suite struct `Patience with a busy store` {
    @Test func `ends where nothing went on for as long as two tries of a volume take`() {
        var patience = Patience()
        var waited: UInt64 = 0
        while let pause = patience.next(progress: 1) { waited += pause }
        #expect((130_000..<133_000).contains(waited))
    }

    @Test func `lasts as long as anything goes on`() {
        var patience = Patience()
        for progress in 0..<1000 as Range<UInt64> {
            #expect(patience.next(progress: progress) != nil)
        }
    }

    @Test func `asks soon at first, then seldom`() {
        var patience = Patience()
        #expect(patience.next(progress: 0) == 50)
        #expect(patience.next(progress: 0) == 100)
        for _ in 0..<10 { _ = patience.next(progress: 0) }
        #expect(patience.next(progress: 0) == 2000)
    }
}

@Suite struct `Text for a terminal` {
    @Test func `has no control character of a name`() {
        #expect(PlainText.of("a\u{1b}[2Jb\nc") == "a\\u{1b}[2Jb\\u{a}c")
        #expect(PlainText.of("ü x") == "ü x")
        #expect(PlainText.of([0x61, 0xff]) == "a\u{fffd}")
    }
}
