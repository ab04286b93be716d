// The log's lines: one an event, whatever clients put into names.

import Configuration
import Foundation
import Logging
import Synchronization
import Testing

@testable import millrace

@Suite struct `A line of the log` {
    @Test func `is time, level, message and sorted fields`() {
        let lines = logged(at: .info) { logger in
            logger.notice("listening on http://[::1]:80", metadata: ["address": "[::1]:80"])
            logger.error("failed", metadata: ["id": "7", "cause": "no space", "empty": ""])
        }
        #expect(
            lines == [
                "2026-01-31T12:00:00.250Z notice listening on http://[::1]:80 address=[::1]:80",
                "2026-01-31T12:00:00.250Z error failed cause=\"no space\" empty=\"\" id=7",
            ])
    }

    @Test func `cannot be forged or garbled by what clients send`() {
        let lines = logged(at: .info) { logger in
            logger.info("a\nb", metadata: ["path": "x\n2026 \"q\" \\ \u{1b}[31m\u{9b}"])
        }
        let expected = "a\\u{a}b path=\"x\\u{a}2026 \\\"q\\\" \\\\ \\u{1b}[31m\\u{9b}\""
        #expect(lines == ["2026-01-31T12:00:00.250Z info " + expected])
    }

    @Test func `is left out below the level`() {
        let lines = logged(at: .warning) { logger in
            logger.info("no")
            logger.warning("yes")
        }
        #expect(lines.count == 1)
    }

    @Test func `carries what its logger carries, the event's own winning`() {
        let lines = logged(at: .info) { logger in
            var logger = logger
            logger[metadataKey: "core"] = "1"
            logger[metadataKey: "id"] = "1"
            logger.info("x", metadata: ["id": "2"])
        }
        #expect(lines.first?.hasSuffix(" x core=1 id=2") == true)
    }

    @Test func `has a level for each of the configuration's`() {
        for level in LogLevel.allCases {
            #expect(makeLogger(level: level).logLevel.rawValue == level.rawValue)
        }
    }

    private func logged(at level: LogLevel, _ body: (Logger) -> Void) -> [String] {
        let lines = Lines()
        let moment = Date(timeIntervalSince1970: 1_769_860_800.25)
        body(
            Logger(label: "test") { _ in
                LineLogHandler(level: level, write: { lines.append($0) }, now: { moment })
            })
        return lines.all
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
