/// Reads the numbers a bench needs out of the text files of /proc (proc(5)).
public enum ProcessText {
    /// Nanoseconds on a CPU: the first number of /proc/PID/task/TID/schedstat.
    public static func cpuNanoseconds(schedstat text: String) -> UInt64? {
        text.split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) }
    }

    /// Clock ticks in user and system mode together: fields 14 and 15 of /proc/PID/stat, counted
    /// behind the command's name, which may hold spaces and parentheses.
    public static func cpuTicks(stat text: String) -> UInt64? {
        guard let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace)
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12])
        else { return nil }
        return user + system
    }

    /// A machine's CPU time in clock ticks: the first line of /proc/stat.
    public struct Machine: Equatable, Sendable {
        /// Everything but idle, waiting for input or output, and stolen.
        public var busy: UInt64
        /// Taken by the host for its other guests.
        public var stolen: UInt64
    }

    public static func machine(stat text: String) -> Machine? {
        guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else {
            return nil
        }
        let ticks = line.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        guard ticks.count >= 8 else { return nil }
        // user nice system idle iowait irq softirq steal; guest time is part of user.
        return Machine(busy: ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], stolen: ticks[7])
    }

    /// A field such as `RssAnon:      1234 kB` of /proc/PID/status, in bytes.
    public static func bytes(of field: String, status text: String) -> Int? {
        let words = value(of: field, status: text)?.split(separator: " ") ?? []
        guard words.count == 2, words[1] == "kB", let count = Int(words[0]) else { return nil }
        return count << 10
    }

    /// A field's text, such as the `0` of `Cpus_allowed_list:	0`.
    public static func value(of field: String, status text: String) -> String? {
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"), line[..<colon] == field else { continue }
            let value = line[line.index(after: colon)...]
            return String(value.drop(while: \.isWhitespace))
        }
        return nil
    }

    /// The mount that holds `path`: the longest mount point of /proc/self/mountinfo that leads it.
    public struct Mount: Equatable, Sendable {
        /// `major:minor`, as under /sys/dev/block.
        public let device: String
        public let type: String
        public let source: String
        public let options: String

        public init(device: String, type: String, source: String, options: String) {
            (self.device, self.type) = (device, type)
            (self.source, self.options) = (source, options)
        }
    }

    public static func mount(of path: String, mountInfo text: String) -> Mount? {
        var best: (count: Int, mount: Mount)?
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count >= dash + 4 else {
                continue
            }
            let point = words[4]
            let leads = point == "/" || path == point || path.hasPrefix(point + "/")
            guard leads, point.utf8.count >= best?.count ?? 0 else { continue }
            let mount = Mount(
                device: words[2], type: words[dash + 1], source: words[dash + 2],
                options: words[5] + "," + words[dash + 3])
            best = (point.utf8.count, mount)
        }
        return best?.mount
    }
}
