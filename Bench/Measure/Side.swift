/// Who serves: Millrace and those it is compared to.
public enum Side: String, CaseIterable, Sendable, Codable {
    case millrace
    case nginx
    /// nginx that reads large files past the page cache, in threads of its own.
    case nginxDirect = "nginx-directio"
    case lighttpd
    case caddy
    case h2o

    /// Everybody else.
    public static let peers = allCases.filter { $0 != .millrace }

    /// Whether the bench can upload to it; others get their files laid into their directory.
    public var takesUploads: Bool {
        switch self {
        case .millrace, .nginx, .nginxDirect: true
        case .lighttpd, .caddy, .h2o: false
        }
    }
}
