// Sizes and durations as people write them. KB, MB and GB are powers of 1024, like KiB, MiB, GiB.

/// The bytes that `text` names: "256KB", "1MiB", "512", in any case, one space allowed.
/// `nil` when it is no whole size or does not fit an `Int`.
func parsedByteCount(_ text: String) -> Int? {
    guard let (count, unit) = numberAndUnit(text) else { return nil }
    let shift: Int
    switch unit.lowercased() {
    case "", "b": shift = 0
    case "kb", "kib": shift = 10
    case "mb", "mib": shift = 20
    case "gb", "gib": shift = 30
    case "tb", "tib": shift = 40
    default: return nil
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : bytes
}

/// The duration that `text` names: "250ms", "30s", "5m", "24h", "7d". A unit is required: a bare
/// number would be seconds to one reader and milliseconds to the next.
func parsedDuration(_ text: String) -> Duration? {
    guard let (count, unit) = numberAndUnit(text) else { return nil }
    let milliseconds: Int
    switch unit {
    case "ms": milliseconds = 1
    case "s": milliseconds = 1000
    case "m": milliseconds = 60 * 1000
    case "h": milliseconds = 3600 * 1000
    case "d": milliseconds = 24 * 3600 * 1000
    default: return nil
    }
    let (total, overflow) = count.multipliedReportingOverflow(by: milliseconds)
    return overflow ? nil : .milliseconds(total)
}

/// The shortest exact spelling: "64MiB", or "1500" where no unit divides evenly.
func spelled(byteCount: Int) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")]
    for (shift, name) in units where byteCount != 0 && byteCount % (1 << shift) == 0 {
        return "\(byteCount >> shift)\(name)"
    }
    return "\(byteCount)"
}

/// The largest unit that divides evenly, hours at most: "24h" says more than "1d".
func spelled(duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let units: [(Int64, String)] = [(3600 * 1000, "h"), (60 * 1000, "m"), (1000, "s")]
    for (size, name) in units where milliseconds != 0 && milliseconds % size == 0 {
        return "\(milliseconds / size)\(name)"
    }
    return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
}

/// Splits "30 s" into 30 and "s". Digits only: no sign, no fraction, no exponent.
private func numberAndUnit(_ text: String) -> (Int, String)? {
    let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
    guard let count = Int(digits) else { return nil }
    var unit = text[digits.endIndex...]
    if unit.first == " ", unit.count > 1 { unit = unit.dropFirst() }
    return (count, String(unit))
}
