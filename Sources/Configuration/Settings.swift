// Everything an operator can choose, as one immutable value. A fresh value holds every default.

/// The configuration of one server, whole and checked.
///
/// It is made once at start (`load`, `parse` or `init()` for the defaults) and never changed; a
/// reload makes another one. The table in `SettingKeys.swift` names each property's key, limits and
/// meaning. Byte counts are bytes, rates bytes per second.
public struct Settings: Equatable, Sendable {
    public internal(set) var server = ServerSection()
    public internal(set) var metrics = MetricsSection()
    public internal(set) var storage = StorageSection()
    public internal(set) var security = SecuritySection()
    public internal(set) var uploads = UploadsSection()
    public internal(set) var downloads = DownloadsSection()
    public internal(set) var performance = PerformanceSection()
    public internal(set) var streaming = StreamingSection()
    public internal(set) var limits = LimitsSection()
    public internal(set) var logging = LoggingSection()

    /// The defaults: loopback only, data in `./data`.
    public init() {}
}

extension Settings {
    public struct ServerSection: Equatable, Sendable {
        public internal(set) var listen = ListenAddress.loopback(port: 8080)
        /// Begins and ends with "/".
        public internal(set) var basePath = "/"
        /// `nil`: every CPU this process may run on.
        public internal(set) var cores: CoreList?
        public internal(set) var drainTimeout = Duration.seconds(30)
        public internal(set) var memoryPerCoreBytes = 64 << 20
        public internal(set) var usesNUMA = true
        public internal(set) var steering = ConnectionSteering.hash
    }

    public struct MetricsSection: Equatable, Sendable {
        /// `nil`: off.
        public internal(set) var listen: ListenAddress? = ListenAddress.loopback(port: 8081)
    }

    public struct StorageSection: Equatable, Sendable {
        public internal(set) var path = "./data"
        public internal(set) var capacity = Capacity.share(percent: 90)
        public internal(set) var volumeSizeBytes = 64 << 30
        public internal(set) var durability = Durability.durable
    }

    public struct SecuritySection: Equatable, Sendable {
        public internal(set) var secret: Secret?
        public internal(set) var secretFile: String?
        public internal(set) var adminToken: Secret?
        public internal(set) var adminTokenFile: String?
        /// `nil`: only the admin token may begin uploads at `/files`.
        public internal(set) var uploadToken: Secret?
        public internal(set) var uploadTokenFile: String?
        /// `nil`: no JSON Web Tokens.
        public internal(set) var jwtSecret: Secret?
        public internal(set) var jwtSecretFile: String?
        public internal(set) var jwtAudience: String?
        /// Beside those, each with a name and a tenant.
        public internal(set) var secrets: [NamedCredential] = []
        public internal(set) var tokens: [NamedCredential] = []
        /// 401 or 403.
        public internal(set) var badSignatureStatus = 403
    }

    public struct UploadsSection: Equatable, Sendable {
        public internal(set) var sizeBytesMax = 15 << 30
        public internal(set) var unfinishedLifetime = Duration.seconds(24 * 3600)
        public internal(set) var unfinishedMax = 100_000
        public internal(set) var unfinishedPerOwnerMax = 50_000
        public internal(set) var keepsSHA256 = false
        /// The space that those may have; `nil`: as much as there is. A share is of the capacity.
        public internal(set) var unfinishedSize: Capacity? = Capacity.share(percent: 75)
        public internal(set) var unfinishedSizePerOwner: Capacity? = Capacity.share(percent: 50)
        /// Of one request's content; `nil`: as much as an upload may have.
        public internal(set) var appendBytesMax: Int?
    }

    public struct DownloadsSection: Equatable, Sendable {
        public internal(set) var verification = Verification.once
        public internal(set) var sendsPrecompressed = false
    }

    public struct PerformanceSection: Equatable, Sendable {
        public internal(set) var adaptsBuffers = true
        /// Powers of two.
        public internal(set) var bufferBytesMin = 32 << 10
        public internal(set) var bufferBytesMax = 1 << 20
        public internal(set) var bufferInterval = Duration.seconds(300)
        public internal(set) var sendsZeroCopy = true
        /// Whole blocks of 4 KiB.
        public internal(set) var chunkBytesMin = 256 << 10
        public internal(set) var chunkBytesMax = 10 << 20
        public internal(set) var plansChunks = true
        public internal(set) var chunkAlgorithm = ChunkAdaptation.adaptive
        public internal(set) var profilesClients = true
        public internal(set) var profileLifetime = Duration.seconds(24 * 3600)
        public internal(set) var detectsLinkClass = true
    }

    public struct StreamingSection: Equatable, Sendable {
        /// HTTP/2; always false as long as there is none.
        public internal(set) var multiplexes = false
        public internal(set) var retries = true
        public internal(set) var backsOff = true
        public internal(set) var breaksCircuits = true
        public internal(set) var sendsRanges = true
        public internal(set) var estimatesLinks = true
        public internal(set) var adaptsQuality = true
        public internal(set) var paces = false
        public internal(set) var congestionControl = CongestionChoice.system
    }

    public struct LimitsSection: Equatable, Sendable {
        public internal(set) var headBytesMax = 16 << 10
        public internal(set) var fieldCountMax = 100
        public internal(set) var targetBytesMax = 8 << 10
        public internal(set) var headTimeout = Duration.seconds(10)
        public internal(set) var idleTimeout = Duration.seconds(60)
        public internal(set) var bodyBytesPerSecondMin = 1 << 10
        public internal(set) var bodyTimeout = Duration.seconds(30)
        public internal(set) var connectionsPerCoreMax = 16384
        /// A share is one of the capacity.
        public internal(set) var reserved = Capacity.share(percent: 25)
        /// Zero: any delay.
        public internal(set) var queueDelayTarget = Duration.milliseconds(5)
        public internal(set) var queueDelayInterval = Duration.milliseconds(100)
        /// Of each core; 0: any.
        public internal(set) var inFlightBytesMax = 0
    }

    public struct LoggingSection: Equatable, Sendable {
        public internal(set) var level = LogLevel.info
    }
}

/// Which core accepts a connection. Either way one that has too many hands new ones on.
public enum ConnectionSteering: String, CaseIterable, Sendable {
    /// As the kernel spreads them over the listeners of one port.
    case hash
    /// The core on the CPU that the network card's queue interrupts.
    case cpu
}

/// When an upload is answered: after its bytes and its record are flushed, or after they are
/// written. Only the moment of the answer differs, never the order of writes.
public enum Durability: String, CaseIterable, Sendable { case durable, written }

/// How the length of an upload's chunks is found.
public enum ChunkAdaptation: String, CaseIterable, Sendable { case fixed, adaptive, predictive }

/// How often the blocks of a large object are compared with their checksums when they are read:
/// once since the server's start, or each time.
public enum Verification: String, CaseIterable, Sendable { case once, always }

/// Who chooses how much of a connection's bytes may be on their way.
public enum CongestionChoice: String, CaseIterable, Sendable {
    /// The kernel, as it is set up (`net.ipv4.tcp_congestion_control`).
    case system
    /// The server, by the link's class, among what the kernel lets it
    /// (`net.ipv4.tcp_allowed_congestion_control`).
    case adaptive
}

/// How much of the file system the volumes may fill.
public enum Capacity: Equatable, Sendable {
    case bytes(Int)
    /// 1 to 100 percent of what is free, or already ours, when the server starts.
    case share(percent: Int)

    /// The limit in bytes.
    ///
    /// - Parameter available: bytes free on the file system plus those already in volumes.
    public func limit(available: Int) -> Int {
        switch self {
        case .bytes(let count): count
        // Divided first: exact to 100 bytes, and no product can overflow.
        case .share(let percent): available / 100 * percent
        }
    }
}

/// The levels of swift-log, by their names there.
public enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}

/// Which release this is.
public enum Release {
    public static let version = "0.1.0"
}
