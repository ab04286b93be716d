/// The kinds of work that are compared, and what each must reach.
public enum Row: String, CaseIterable, Sendable, Codable {
    case putLarge = "put-1g"
    case getLarge = "get-1g"
    case getSmall = "get-1k"
    case putSmall = "put-4k"
    case idle = "idle"

    public var title: String {
        switch self {
        case .putLarge: "PUT large, durable, 1 connection"
        case .getLarge: "GET large, page-cached, 1 connection"
        case .getSmall: "GET 1 KiB, keep-alive, 64 connections, 1,000 names"
        case .putSmall: "PUT 4 KiB, durable, 64 connections"
        case .idle: "idle keep-alive connections"
        }
    }

    public var unit: Unit {
        switch self {
        case .putLarge, .getLarge: .gigabyte
        case .getSmall, .putSmall: .request
        case .idle: .connection
        }
    }

    /// Ratio of server CPU, Millrace to nginx.
    public var cpuGoal: Goal? {
        switch self {
        case .putLarge: .atMost(0.5)
        case .getLarge: .atMost(1.3)
        case .getSmall: .atMost(0.7)
        case .putSmall: .atMost(0.5)
        case .idle: nil
        }
    }

    /// Ratio of throughput, Millrace to nginx.
    public var throughputGoal: Goal? {
        switch self {
        case .putLarge: .atLeast(1.5)
        case .getLarge: .atLeast(0.9)
        case .getSmall: .atLeast(1.3)
        case .putSmall: .atLeast(4)
        case .idle: nil
        }
    }

    /// User memory of an idle connection, in bytes.
    public static let idleBytesGoal = 1024.0

    /// A client that leaves the server's CPU idle measures itself.
    public static let saturation = 0.95

    /// What one figure is counted per.
    public enum Unit: Sendable { case gigabyte, request, connection }
}

/// Who serves.
public enum Side: String, CaseIterable, Sendable, Codable { case millrace, nginx }
