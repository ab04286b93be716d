/// What can be said of how a connection's bytes leave; none of it alters a byte.

public enum SocketOption: Equatable, Sendable {
    /// How many bytes may wait in the socket unsent before it counts as full (TCP_NOTSENT_LOWAT,
    /// Linux 3.12); 0 for what the system has (`net.ipv4.tcp_notsent_lowat`).
    case unsentBytesMax(UInt32)
    /// At most so many bytes leave in a second, evenly (SO_MAX_PACING_RATE, Linux 3.13); nil for
    /// as many as congestion control lets.
    case pacing(bytesPerSecond: UInt64?)
    /// How much may be on its way (TCP_CONGESTION). The kernel refuses what it lacks (ENOENT), and
    /// what this process may not choose (EPERM).
    case congestionControl(CongestionControl)
}

/// The kernel's algorithms that are known here, by their names in
/// `/proc/sys/net/ipv4/tcp_allowed_congestion_control`.
public enum CongestionControl: String, CaseIterable, Sendable { case reno, cubic, bbr }
