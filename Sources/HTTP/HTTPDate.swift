/// Dates on the wire (RFC 9110 §5.6.7), in whole seconds since 1970-01-01T00:00:00Z and back, by
/// integer arithmetic alone.
public enum HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    public static let byteCount = 29

    /// The last second of the year 9999: four digits hold no more.
    public static let secondsMax: Int64 = 253_402_300_799

    static let days = "SunMonTueWedThuFriSat"
    static let months = "JanFebMarAprMayJunJulAugSepOctNovDec"
    private static let secondsPerDay: Int64 = 86_400

    /// Appends the 29 bytes of an IMF-fixdate. Times outside 1970–9999 become its nearest end.
    public static func append(_ seconds: Int64, to output: inout OutputSpan<UInt8>) {
        let seconds = min(max(seconds, 0), secondsMax)
        let (day, second) = seconds.quotientAndRemainder(dividingBy: secondsPerDay)
        let date = CivilDate(daysSince1970: day)
        let weekday = Int((day + 4) % 7)  // 1970-01-01 was a Thursday.
        output.append(days.utf8.span.extracting(weekday * 3..<weekday * 3 + 3))
        output.append(", ")
        appendTwoDigits(date.day, to: &output)
        output.append(Ascii.space)
        let month = Int(date.month - 1)
        output.append(months.utf8.span.extracting(month * 3..<month * 3 + 3))
        output.append(Ascii.space)
        appendTwoDigits(date.year / 100, to: &output)
        appendTwoDigits(date.year % 100, to: &output)
        output.append(Ascii.space)
        appendTwoDigits(second / 3600, to: &output)
        output.append(Ascii.colon)
        appendTwoDigits(second / 60 % 60, to: &output)
        output.append(Ascii.colon)
        appendTwoDigits(second % 60, to: &output)
        output.append(" GMT")
    }

    private static func appendTwoDigits(_ number: Int64, to output: inout OutputSpan<UInt8>) {
        output.append(Ascii.zero + UInt8(truncatingIfNeeded: number / 10))
        output.append(Ascii.zero + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Parses any of the three formats; nil for anything else, and for days no calendar has.
    ///
    /// - Parameter now: gives a two-digit year its century: this one, or the last if that would be
    ///   more than 50 years ahead.
    public static func parse(_ text: Span<UInt8>, now: Int64) -> Int64? {
        var reader = DateReader(text)
        guard text.count >= 24 else { return nil }
        if text[3] == Ascii.comma { return parseFixdate(&reader) }
        if text[3] == Ascii.space { return parseAsctime(&reader) }
        return parseRFC850(&reader, now)
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func parseFixdate(_ reader: inout DateReader) -> Int64? {
        guard reader.skipsWeekday(), reader.skips(", "), let day = reader.number(2),
            reader.skips(" "), let month = reader.month(), reader.skips(" "),
            let year = reader.number(4), reader.skips(" "), let second = reader.time(),
            reader.skips(" GMT"), reader.isAtEnd
        else { return nil }
        return seconds(year, month, day, second)
    }

    /// `Sun Nov  6 08:49:37 1994`
    private static func parseAsctime(_ reader: inout DateReader) -> Int64? {
        guard reader.skipsWeekday(), reader.skips(" "), let month = reader.month(),
            reader.skips(" "), let day = reader.paddedNumber(), reader.skips(" "),
            let second = reader.time(), reader.skips(" "), let year = reader.number(4),
            reader.isAtEnd
        else { return nil }
        return seconds(year, month, day, second)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private static func parseRFC850(_ reader: inout DateReader, _ now: Int64) -> Int64? {
        guard reader.skipsLongWeekday(), reader.skips(", "), let day = reader.number(2),
            reader.skips("-"), let month = reader.month(), reader.skips("-"),
            let shortYear = reader.number(2), reader.skips(" "), let second = reader.time(),
            reader.skips(" GMT"), reader.isAtEnd
        else { return nil }
        let thisYear = CivilDate(daysSince1970: min(max(now, 0), secondsMax) / secondsPerDay).year
        var year = thisYear / 100 * 100 + shortYear
        if year > thisYear + 50 { year -= 100 }
        return seconds(year, month, day, second)
    }

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ second: Int64
    ) -> Int64? {
        let date = CivilDate(year: year, month: month, day: day)
        guard day >= 1, date == CivilDate(daysSince1970: date.daysSince1970) else { return nil }
        return date.daysSince1970 * secondsPerDay + second
    }
}
