// The one line of the log that scripts read: that the server listens, and where.

/// Logged at level notice once a listener accepts, with the metadata `address=ADDR:PORT`; the port
/// is the real one where 0 was asked for. `mill` waits for this line.
public func listeningMessage(_ address: ListenAddress) -> String {
    "listening on http://\(address)"
}

/// The same for the metrics listener; worded so that nobody takes it for the other.
public func metricsMessage(_ address: ListenAddress) -> String {
    "metrics at http://\(address)/metrics"
}
