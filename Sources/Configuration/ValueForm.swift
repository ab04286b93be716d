// How one kind of value is read from TOML or a flag, and written back. A key is a form and a place.

/// A value as it stands in a file or a flag, before a key gives it meaning.
enum RawValue: Equatable, Sendable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case list([RawValue])
    /// A fraction, date, time or table: no key takes one. The word is for the error message.
    case other(String)

    static let table = RawValue.other("a table")

    /// For error messages; quoted as TOML, cut short.
    var shown: String {
        switch self {
        case .text(let text): text.count > 80 ? quoted(text.prefix(80) + "…") : quoted(text)
        case .integer(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .list: "a list"
        case .other(let word): word
        }
    }
}

/// Reads and writes values of one kind.
struct ValueForm<Value: Sendable>: Sendable {
    /// Ends the sentence "expected …".
    let expectation: String
    /// `nil`: not a value of this form.
    let read: @Sendable (RawValue) -> Value?
    /// As a TOML value; `nil` where there is none to write.
    let write: @Sendable (Value) -> String?
}

extension ValueForm where Value == Int {
    static func size(atLeast minimum: Int, atMost maximum: Int) -> ValueForm {
        let range = "\(spelled(byteCount: minimum)) to \(spelled(byteCount: maximum))"
        return ValueForm(
            expectation: "a size such as \"64MiB\", from \(range)",
            read: { raw in
                let count: Int?
                switch raw {
                case .text(let text): count = parsedByteCount(text)
                case .integer(let number): count = number
                case .boolean, .list, .other: count = nil
                }
                return count.flatMap { (minimum...maximum).contains($0) ? $0 : nil }
            },
            write: { quoted(spelled(byteCount: $0)) })
    }

    static func count(_ range: ClosedRange<Int>) -> ValueForm {
        numbers("a number from \(range.lowerBound) to \(range.upperBound)", range.contains)
    }

    static func either(_ first: Int, _ second: Int) -> ValueForm {
        numbers("\(first) or \(second)") { $0 == first || $0 == second }
    }

    private static func numbers(
        _ expectation: String, _ isAllowed: @escaping @Sendable (Int) -> Bool
    ) -> ValueForm {
        ValueForm(
            expectation: expectation,
            read: { raw in
                guard case .integer(let number) = raw else { return nil }
                return isAllowed(number) ? number : nil
            },
            write: { "\($0)" })
    }
}

extension ValueForm where Value == Bool {
    static var flag: ValueForm {
        ValueForm(
            expectation: "true or false",
            read: { if case .boolean(let flag) = $0 { flag } else { nil } },
            write: { "\($0)" })
    }
}

extension ValueForm where Value == Duration {
    static func duration(atLeast minimum: Duration, atMost maximum: Duration) -> ValueForm {
        let range = "\(spelled(duration: minimum)) to \(spelled(duration: maximum))"
        return ValueForm(
            expectation: "a duration such as \"30s\", from \(range)",
            read: { raw in
                guard case .text(let text) = raw, let value = parsedDuration(text),
                    (minimum...maximum).contains(value)
                else { return nil }
                return value
            },
            write: { quoted(spelled(duration: $0)) })
    }
}

extension ValueForm where Value == String {
    static func text(
        _ expectation: String, _ normalise: @escaping @Sendable (String) -> String?
    ) -> ValueForm {
        ValueForm(
            expectation: expectation,
            read: { if case .text(let text) = $0 { normalise(text) } else { nil } },
            write: { quoted($0) })
    }

    static var path: ValueForm {
        text("a path") { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }
    }
}

extension ValueForm where Value == Secret {
    /// `isAllowed` sees the bytes; neither it nor anyone else prints them.
    static func secret(
        _ expectation: String, _ isAllowed: @escaping @Sendable ([UInt8]) -> Bool
    ) -> ValueForm {
        ValueForm(
            expectation: expectation,
            read: { raw in
                guard case .text(let text) = raw, isAllowed(Array(text.utf8)) else { return nil }
                return Secret(text)
            },
            write: { _ in nil })
    }
}

extension ValueForm where Value == ListenAddress {
    static var address: ValueForm {
        ValueForm(
            expectation: "an address such as \"127.0.0.1:8080\" or \"[::1]:8080\"",
            read: { if case .text(let text) = $0 { ListenAddress(text) } else { nil } },
            write: { quoted($0.description) })
    }
}

extension ValueForm where Value == ListenAddress? {
    /// An address, or the word "off" for `nil`.
    static var addressOrOff: ValueForm {
        let addresses = ValueForm<ListenAddress>.address
        return ValueForm(
            expectation: addresses.expectation + ", or \"off\"",
            read: { raw in raw == .text("off") ? .some(nil) : addresses.read(raw).map { .some($0) }
            },
            write: { value in value.map(addresses.write) ?? quoted("off") })
    }
}

extension ValueForm where Value == CoreList {
    static var cores: ValueForm {
        ValueForm(
            expectation: "CPU numbers such as \"0,1\", \"0-3\" or [0, 1], each once",
            read: { raw in
                switch raw {
                case .text(let text): CoreList(text)
                case .integer(let number): CoreList([number])
                case .list(let items): CoreList(integers: items)
                case .boolean, .other: nil
                }
            },
            write: { quoted($0.description) })
    }
}

extension CoreList {
    fileprivate init?(integers items: [RawValue]) {
        let indices = items.compactMap { if case .integer(let number) = $0 { number } else { nil } }
        guard indices.count == items.count else { return nil }
        self.init(indices)
    }
}

extension ValueForm where Value == Capacity? {
    /// Of any size that holds something, or the word "none" for `nil`.
    static var capacityOrNone: ValueForm {
        let capacities = ValueForm<Capacity>.capacity(atLeast: 1 << 20)
        return ValueForm(
            expectation: capacities.expectation + ", or \"none\"",
            read: { raw in
                raw == .text("none") ? .some(nil) : capacities.read(raw).map { .some($0) }
            },
            write: { value in value.map(capacities.write) ?? quoted("none") })
    }
}

extension ValueForm where Value == Capacity {
    static var capacity: ValueForm { capacity(atLeast: 256 << 20) }

    static func capacity(atLeast minimum: Int) -> ValueForm {
        let sizes = ValueForm<Int>.size(atLeast: minimum, atMost: 1 << 60)
        return ValueForm(
            expectation: "a share such as \"90%\" (1 to 100), or \(sizes.expectation)",
            read: { raw in
                if case .text(let text) = raw, text.last == "%" {
                    let percent = parsedByteCount(String(text.dropLast())) ?? 0
                    return (1...100).contains(percent) ? .share(percent: percent) : nil
                }
                return sizes.read(raw).map { .bytes($0) }
            },
            write: { value in
                switch value {
                case .bytes(let count): quoted(spelled(byteCount: count))
                case .share(let percent): quoted("\(percent)%")
                }
            })
    }
}

extension ValueForm where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var word: ValueForm {
        let words = Value.allCases.map { quoted($0.rawValue) }
        return ValueForm(
            expectation: "one of " + words.joined(separator: ", "),
            read: { if case .text(let text) = $0 { Value(rawValue: text) } else { nil } },
            write: { quoted($0.rawValue) })
    }
}

extension ValueForm {
    /// The same values for a key that may be unset.
    var optional: ValueForm<Value?> {
        ValueForm<Value?>(
            expectation: expectation,
            read: { raw in read(raw).map { .some($0) } },
            write: { value in value.flatMap(write) })
    }
}

/// A TOML basic string.
func quoted(_ text: some StringProtocol) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\0"..<" ", "\u{7f}":
            let hex = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
