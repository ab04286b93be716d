/// Response heads and short answers, written into a connection's output.

import HTTP
import IO
import Loop

/// What of an object a request gets, once its conditions and range are weighed.
enum Selection: Equatable {
    case whole
    case part(ClosedRange<UInt64>)
    case notModified
    case preconditionFailed
    case unsatisfiable

    var status: Status {
        switch self {
        case .whole: .ok
        case .part: .partialContent
        case .notModified: .notModified
        case .preconditionFailed: .preconditionFailed
        case .unsatisfiable: .rangeNotSatisfiable
        }
    }

    /// Whether the object's digest says something to who gets the answer. Nothing is hashed for a
    /// refusal.
    var tellsDigest: Bool {
        switch self {
        case .whole, .part, .notModified: true
        case .preconditionFailed, .unsatisfiable: false
        }
    }

    /// The bytes that go out with GET; nil for none.
    func bodyRange(of length: UInt64) -> ClosedRange<UInt64>? {
        switch self {
        case .whole: length > 0 ? 0...length - 1 : nil
        case .part(let range): range
        case .notModified, .preconditionFailed, .unsatisfiable: nil
        }
    }
}

extension ObjectFields {
    /// Bytes of `Content-Length: N` with its line end.
    static func lengthLineCount(_ length: UInt64) -> Int {
        var digits = 1
        var rest = length
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return "Content-Length: ".utf8.count + digits + 2
    }
}

extension Core {
    /// Weighs conditions and range in the order of RFC 9110 §13.2.2.
    func select(_ fields: ObjectFields, _ head: RequestHead, bytes: Span<UInt8>) -> Selection {
        let tag = [UInt8](capacity: ObjectFields.entityTagSizeMax) { output in
            fields.appendEntityTag(to: &output)
        }
        let verdict = Conditions.evaluate(
            head, in: bytes, entityTag: tag.span,
            lastModified: Int64(clamping: fields.modifiedSeconds),
            now: Int64(clamping: loop.wallSeconds))
        switch verdict {
        case .notModified: return .notModified
        case .preconditionFailed: return .preconditionFailed
        case .proceed(let isRangeAllowed):
            guard isRangeAllowed, settings.sendsRanges else { return .whole }
            let range = ByteRange(parsing: bytes.extracting(head.range))
            let resolved = range.resolve(length: fields.length)
            // One that means nothing is as good as none.
            if resolved != .full { counters.rangeRequests &+= 1 }
            switch resolved {
            case .full: return .whole
            case .satisfiable(let part): return .part(part)
            case .unsatisfiable: return .unsatisfiable
            }
        }
    }

    /// The head for a selection of an object; `otherFields` are its fields without Content-Length
    /// and without the empty line. `digest` is that of the whole, also with a part of it.
    func writeSelectionHead(
        _ slot: Int, _ fields: ObjectFields, _ selection: Selection, _ digest: Digest?,
        otherFields: Span<UInt8>, to head: RequestHead, keepAlive: Bool
    ) {
        if selection == .preconditionFailed {
            return writeText(
                slot, .preconditionFailed, "a precondition is false", to: head,
                keepAlive: keepAlive)
        }
        writeHead(slot, selection.status, keepAlive: keepAlive) { output in
            if let digest { output.appendReprDigest(digest) }
            switch selection {
            case .whole:
                output.appendField("Content-Length", decimal: fields.length)
                output.append(otherFields)
            case .part(let range):
                output.appendField(
                    "Content-Length", decimal: range.upperBound - range.lowerBound + 1)
                output.appendContentRange(range, of: fields.length)
                output.append(otherFields)
            case .notModified:
                fields.appendValidators(to: &output)
            case .unsatisfiable:
                output.appendField("Content-Length", decimal: 0)
                output.appendContentRange(unsatisfiedOf: fields.length)
            case .preconditionFailed:
                output.appendField("Content-Length", decimal: 0)
            }
        }
    }

    /// Status line, Date, Connection where it says something, what `body` adds, empty line.
    /// There must be room: `outputRoom` was asked, or the output is empty. `longBytes`: of values
    /// that a client has chosen, which may be longer than all else that a head has.
    func writeHead(
        _ slot: Int, _ status: Status, keepAlive: Bool, longBytes: Int = 0,
        _ more: (inout OutputSpan<UInt8>) -> Void
    ) {
        guard let room = outputRoom(slot, Core.headRoom + longBytes) else { return end(slot) }
        var output = arena.output(room)
        output.appendStatusLine(status)
        output.appendField("Date", date: Int64(clamping: loop.wallSeconds))
        if !keepAlive { output.append("Connection: close\r\n") }
        more(&output)
        output.appendHeadEnd()
        connections[slot].outputCount += UInt32(output.count)
        counters.answered(status.rawValue)
    }

    /// An answer that is one line of text; to HEAD, its fields only.
    func writeText(
        _ slot: Int, _ status: Status, _ line: String, to head: RequestHead, keepAlive: Bool
    ) {
        writeText(slot, Answer(status, line), isHead: head.method == .head, keepAlive: keepAlive)
    }

    /// A one-line refusal of something that is not framed well enough to go on with.
    func refuse(_ slot: Int, _ status: Status, _ line: String) {
        let answer = Answer(status, line)
        requestNumber &+= 1
        noteFailure(answer, number: requestNumber)
        writeText(slot, answer, isHead: false, keepAlive: false)
        connections[slot].flags.insert(.closesAfterOutput)
        flush(slot)
    }

    func write(_ answer: Answer, to request: Request, keepAlive: Bool) {
        writeText(
            request.slot, answer, RefusalAdvice(answer.status, dialect(of: request, answer)),
            isHead: request.head.method == .head, keepAlive: keepAlive)
    }

    private func writeText(
        _ slot: Int, _ answer: Answer, _ advice: RefusalAdvice? = nil, isHead: Bool,
        keepAlive: Bool
    ) {
        let content = answer.content
        writeHead(slot, answer.status, keepAlive: keepAlive) { output in
            if let seconds = answer.retryAfterSeconds ?? advice?.retryAfterSeconds {
                output.appendField("Retry-After", decimal: seconds)
            }
            if advice?.tellsUploadLimit == true { output.appendUploadLimit(uploadLimit()) }
            if advice?.tellsTusMaxSize == true {
                output.appendField("Tus-Max-Size", decimal: resumableBytesMax)
            }
            if let methods = answer.allowedMethods { output.appendField("Allow", methods) }
            if let challenge = answer.challenge {
                output.appendField("WWW-Authenticate", challenge)
            }
            if answer.isTus { output.appendField("Tus-Resumable", TusFields.version) }
            if answer.isTus, answer.status == .preconditionFailed {
                output.appendField("Tus-Version", TusFields.version)
            }
            if let offset = answer.uploadOffset {
                output.appendField("Upload-Offset", decimal: offset)
            }
            if answer.status.isWithoutContent { return }
            output.appendField("Content-Type", answer.contentType)
            output.appendField("Content-Length", decimal: UInt64(content.count))
        }
        if !isHead, !answer.status.isWithoutContent { append(slot, content.span) }
    }

    /// Content behind a head that `writeHead` has just left room for.
    func append(_ slot: Int, _ text: Span<UInt8>) {
        guard connections[slot].output.count > 0, !connections[slot].flags.contains(.ending) else {
            return
        }
        guard let room = outputRoom(slot, text.count) else {
            preconditionFailure("short answers fit into the output")
        }
        arena.copy(text, to: room)
        connections[slot].outputCount += UInt32(text.count)
    }
}
