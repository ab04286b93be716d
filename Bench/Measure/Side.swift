/// Who serves: Millrace and those it is compared to.
public enum Side: String, CaseIterable, Sendable, Codable {
    case millrace
    /// The same server, asked for the same uploads by one PUT each.
    case plain = "millrace-put"
    /// Millrace with one of its parts switched off.
    case reduced
    case nginx
    /// nginx that reads large files past the page cache, in threads of its own.
    case nginxDirect = "nginx-directio"
    case lighttpd
    case caddy
    case h2o

    /// Everybody else.
    public static let peers = allCases.filter { !$0.isMillrace }

    public var isMillrace: Bool { [.millrace, .plain, .reduced].contains(self) }

    /// Whether the bench can upload to it; others get their files laid into their directory.
    public var takesUploads: Bool {
        switch self {
        case .millrace, .plain, .reduced, .nginx, .nginxDirect: true
        case .lighttpd, .caddy, .h2o: false
        }
    }
}
