/// Reads the pieces that dates on the wire are made of, from left to right.
struct DateReader: ~Escapable {
    private let text: Span<UInt8>
    private var position = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func skips(_ piece: String) -> Bool {
        let piece = piece.utf8.span
        guard position + piece.count <= text.count,
            text.extracting(position..<position + piece.count).equals(piece)
        else { return false }
        position += piece.count
        return true
    }

    /// `Sun` to `Sat`. Whether it is the day of that date is not checked: the date decides.
    mutating func skipsWeekday() -> Bool { indexOfName(in: HTTPDate.days) != nil }

    mutating func skipsLongWeekday() -> Bool {
        skips("Sunday") || skips("Monday") || skips("Tuesday") || skips("Wednesday")
            || skips("Thursday") || skips("Friday") || skips("Saturday")
    }

    /// `Jan` to `Dec` as 1 to 12.
    mutating func month() -> Int64? { indexOfName(in: HTTPDate.months).map { Int64($0) + 1 } }

    private mutating func indexOfName(in names: String) -> Int? {
        let names = names.utf8.span
        guard position + 3 <= text.count else { return nil }
        let name = text.extracting(position..<position + 3)
        for index in 0..<names.count / 3 {
            if name.equals(names.extracting(index * 3..<index * 3 + 3)) {
                position += 3
                return index
            }
        }
        return nil
    }

    /// Exactly that many digits.
    mutating func number(_ digitCount: Int) -> Int64? {
        guard position + digitCount <= text.count else { return nil }
        var value: Int64 = 0
        for index in position..<position + digitCount {
            guard Ascii.isDigit(text[index]) else { return nil }
            value = value * 10 + Int64(text[index] - Ascii.zero)
        }
        position += digitCount
        return value
    }

    /// Two digits, or a space and one.
    mutating func paddedNumber() -> Int64? { skips(" ") ? number(1) : number(2) }

    /// `hh:mm:ss` as the second of the day; a leap second is the next minute's first.
    mutating func time() -> Int64? {
        guard let hour = number(2), hour < 24, skips(":"), let minute = number(2), minute < 60,
            skips(":"), let second = number(2), second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }
}
