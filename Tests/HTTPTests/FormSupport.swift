// What a form's tests share: a form read in pieces, as a server does it, and parts to build one of.

import HTTP

/// What a parser made of a body that came in pieces, data put together again.
struct ReadForm: Equatable {
    enum Step: Equatable {
        case part(FormPart)
        case data([UInt8])
        case partEnd
        case end
        case invalid(Refusal)
    }

    private(set) var steps: [Step] = []
    private(set) var isComplete = false

    init(_ pieces: [[UInt8]], boundary: FormBoundary, limits: Limits = Limits()) {
        var parser = FormDataParser(boundary, limits: limits)
        var carried: [UInt8] = []
        for piece in pieces {
            let input = carried + piece
            var position = 0
            guard feed(&parser, input, &position) else { break }
            carried = Array(input[position...])
            precondition(carried.count <= parser.carryBytesMax, "too much is to be seen again")
        }
        isComplete = parser.isComplete
    }

    /// False if nothing more is to be read.
    private mutating func feed(
        _ parser: inout FormDataParser, _ input: [UInt8], _ position: inout Int
    ) -> Bool {
        while true {
            let start = position
            let event = parser.next(in: input.span, at: &position)
            precondition(position >= start, "it went back")
            switch event {
            case .needsMore: return true
            case .part(let part): steps.append(.part(part))
            case .data(let range):
                precondition(!range.isEmpty && range.lowerBound == start)
                precondition(range.upperBound == position)
                append(input[range])
            case .partEnd: steps.append(.partEnd)
            case .end:
                steps.append(.end)
                return false
            case .invalid(let refusal):
                steps.append(.invalid(refusal))
                return false
            }
        }
    }

    private mutating func append(_ data: ArraySlice<UInt8>) {
        if case .data(let before) = steps.last {
            steps[steps.count - 1] = .data(before + data)
        } else {
            steps.append(.data(Array(data)))
        }
    }

    var refusal: Refusal? {
        if case .invalid(let refusal) = steps.last { refusal } else { nil }
    }

    /// `name=data` of every part that ended; a file's name behind its own.
    var parts: [String] {
        var parts: [String] = []
        var text = ""
        for step in steps {
            switch step {
            case .part(let part):
                text = String(decoding: part.name, as: UTF8.self)
                if let name = part.fileName { text += "(\(String(decoding: name, as: UTF8.self)))" }
                text += "="
            case .data(let data): text += String(decoding: data, as: UTF8.self)
            case .partEnd: parts.append(text)
            case .end, .invalid: break
            }
        }
        return parts
    }
}

extension FormBoundary {
    /// The one that the tests' forms have.
    static func plain(_ boundary: String) -> FormBoundary {
        let type = "multipart/form-data; boundary=\"\(boundary)\""
        do {
            return try FormBoundary(contentType: type.utf8.span, limits: Limits())
        } catch {
            preconditionFailure("\(boundary): \(error)")
        }
    }
}
