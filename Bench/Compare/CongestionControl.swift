// The congestion control of both ends.

import BenchMachine
import Foundation

/// The same congestion control on both ends: bbr's pacing, the default of some machines, costs more
/// than the copies that are measured.
enum CongestionControl {
    static let wanted = "cubic"
    private static let setting = "/proc/sys/net/ipv4/tcp_congestion_control"

    /// Sets it for new sockets of this network namespace, if that is allowed, and puts the old one
    /// back at the end. Answers what servers now get.
    static func set(undo: Undo) -> String {
        let before = current()
        guard before != wanted else { return wanted }
        guard (try? TextFile.write(wanted, to: setting)) != nil else {
            return "\(before) (not root: left as it was)"
        }
        undo.add { try? TextFile.write(before, to: setting) }
        return "\(wanted) (set for the run; \(before) before and after)"
    }

    private static func current() -> String {
        (TextFile.read(setting) ?? "unknown").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
