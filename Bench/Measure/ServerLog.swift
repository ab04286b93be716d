/// Finds in a server's log where it listens.
public enum ServerLog {
    /// The port of the first line that says `listening` and carries `address=HOST:PORT`, lines
    /// about metrics aside. A line still being written does not count.
    public static func port(in text: String) -> UInt16? {
        guard let end = text.lastIndex(of: "\n") else { return nil }
        for line in text[..<end].split(separator: "\n") {
            guard line.contains("listening"), !line.contains("metrics") else { continue }
            for word in line.split(whereSeparator: \.isWhitespace) {
                guard word.hasPrefix("address="), let colon = word.lastIndex(of: ":") else {
                    continue
                }
                let digits = word[word.index(after: colon)...].prefix(while: \.isNumber)
                if let port = UInt16(digits), port > 0 { return port }
            }
        }
        return nil
    }
}
