// Goal:   a response head is exactly the bytes that were meant, and never one more line than that.

import HTTP
import Testing

private func head(
    capacity: Int = 4096, _ write: (inout OutputSpan<UInt8>) throws(Refusal) -> Void
) throws -> String {
    String(decoding: try written(capacity: capacity, write), as: UTF8.self)
}

@Suite struct `A response head` {
    @Test func `is written line by line`() throws {
        let text = try head { output in
            output.appendStatusLine(.partialContent)
            output.appendField("Content-Type", "image/jpeg")
            output.appendField("ETag", "\"0123456789abcdef0123456789abcdef\"".utf8.span)
            output.appendField("Content-Length", decimal: 100)
            output.appendField("Last-Modified", date: 784_111_777)
            output.appendContentRange(0...99, of: UInt64.max)
            output.appendHeadEnd()
        }
        #expect(
            text == "HTTP/1.1 206 Partial Content\r\nContent-Type: image/jpeg\r\n"
                + "ETag: \"0123456789abcdef0123456789abcdef\"\r\nContent-Length: 100\r\n"
                + "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Content-Range: bytes 0-99/18446744073709551615\r\n\r\n")
    }

    @Test func `says what an unsatisfiable range is out of`() throws {
        let text = try head { $0.appendContentRange(unsatisfiedOf: 0) }
        #expect(text == "Content-Range: bytes */0\r\n")
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 1_000_000, 9_999_999_999, UInt64.max - 1, UInt64.max])
    func `has exact numbers`(number: UInt64) throws {
        #expect(try head { $0.append(decimal: number) } == "\(number)")
    }

    @Test(arguments: Status.allCases)
    func `starts with any status`(status: Status) throws {
        let text = try head { $0.appendStatusLine(status) }
        #expect(text == "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n")
        #expect(!status.reason.isEmpty)
    }

    @Test func `has every status that this server answers with`() {
        let codes: [UInt16] = [
            100, 104, 200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 410, 411, 412,
            413,
            414, 415, 416, 417, 429, 431, 460, 500, 501, 503, 505, 507,
        ]
        #expect(Status.allCases.map(\.rawValue) == codes)
        let withoutContent = Status.allCases.filter(\.isWithoutContent).map(\.rawValue)
        #expect(withoutContent == [100, 104, 204, 304])
    }

    @Test func `fits exactly`() throws {
        let text = try head(capacity: 17) { $0.appendStatusLine(.ok) }
        #expect(text == "HTTP/1.1 200 OK\r\n")
    }

    @Test func `traps rather than outgrow its buffer`() async {
        await #expect(processExitsWith: .failure) {
            _ = try head(capacity: 16) { $0.appendStatusLine(.ok) }
        }
    }

    @Test(arguments: ["a\r\nSet-Cookie: b", "a\n", "a\r", "\u{0}", "\u{7f}"])
    func `traps rather than let a value start a line`(value: String) async {
        await #expect(processExitsWith: .failure) { [value] in
            _ = try head { $0.appendField("X", value) }
        }
    }
}
