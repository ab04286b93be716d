/// Bytes and durations for people.

enum Quantity {
    /// `999 bytes`, `1.5 KiB`, `12 GiB`: a tenth only where there is but one digit before it.
    static func bytes(_ count: UInt64) -> String {
        guard count >= 1024 else { return count == 1 ? "1 byte" : "\(count) bytes" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var (tenths, unit) = (count / 1024 * 10 + count % 1024 * 10 / 1024, 0)
        while tenths >= 10240, unit < units.count - 1 {
            tenths /= 1024
            unit += 1
        }
        let whole = tenths / 10
        return (whole < 10 ? "\(whole).\(tenths % 10)" : "\(whole)") + " " + units[unit]
    }

    /// `7 s`, `2:05`, `1:02:05`.
    static func seconds(_ count: UInt64) -> String {
        guard count >= 60 else { return "\(count) s" }
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (minutes, seconds) = (count / 60, two(count % 60))
        return minutes < 60
            ? "\(minutes):\(seconds)" : "\(minutes / 60):\(two(minutes % 60)):\(seconds)"
    }
}
