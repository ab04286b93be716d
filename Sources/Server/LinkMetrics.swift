// The metrics page's part on links. Means are of all cores together; labels are of small fixed
// sets.

import Engine

extension MetricsDocument {
    /// `now`: monotonic nanoseconds, to which the means have faded.
    static func linkText(_ snapshots: [CoreSnapshot], now: UInt64) -> String {
        linkMeansText(snapshots, now: now) + linkDecisionText(snapshots)
            + [
                ("link_samples_total", "Times that the kernel told of a link.", \.samples),
                (
                    "link_samples_partial_total",
                    "Those that lacked something, as older kernels do.", \.samplesPartial
                ),
                ("link_sample_errors_total", "Times that it did not.", \.sampleErrors),
                (
                    "client_hints_ignored_total", "Requests with hints that say nothing.",
                    \.hintsIgnored
                ),
            ].map { (name, help, path: KeyPath<LinkCounters, UInt64>) in
                head(name, "counter", help)
                    + snapshots.map { snapshot in
                        "millrace_\(name){core=\"\(snapshot.core)\"}"
                            + " \(snapshot.links[keyPath: path])\n"
                    }.joined()
            }.joined()
    }

    /// A row is absent as long as there is nothing that it could be a mean of.
    private static func linkMeansText(_ snapshots: [CoreSnapshot], now: UInt64) -> String {
        var means = LinkMeans()
        for snapshot in snapshots { means.merge(snapshot.links.means) }
        func gauge(
            _ name: String, _ help: String, _ value: (LinkMeans.Row) -> Double?
        ) -> String {
            var text = head(name, "gauge", help)
            for linkClass in LinkClass.allCases {
                for direction in LinkDirection.allCases {
                    guard let mean = value(means.row(linkClass, direction, now: now)) else {
                        continue
                    }
                    text += "millrace_\(name){class=\"\(linkClass)\","
                    text += "direction=\"\(direction)\"} \(mean)\n"
                }
            }
            return text
        }
        return gauge(
            "network_speed_bytes_per_second", "What links carried lately.", \.bytesPerSecond)
            + gauge(
                "network_latency_seconds", "Their least round trips lately.", \.latencySeconds)
            + gauge(
                "network_reliability_ratio", "Share of large transfers that did not break.",
                \.reliability)
    }

    private static func linkDecisionText(_ snapshots: [CoreSnapshot]) -> String {
        func sum(_ value: (LinkCounters) -> UInt64) -> UInt64 {
            snapshots.reduce(0) { $0 + value($1.links) }
        }
        var text = head(
            "link_class_changes_total", "counter", "Connections whose link came to be of a class.")
        for linkClass in LinkClass.allCases where linkClass != .unknown {
            text += "millrace_link_class_changes_total{class=\"\(linkClass)\"}"
            text += " \(sum { $0.changes(to: linkClass) })\n"
        }
        text += head("link_tunings_total", "counter", "Sockets that were told how to send.")
        for tuning in LinkCounters.Tuning.allCases {
            for reason in LinkCounters.Reason.allCases {
                text += "millrace_link_tunings_total{what=\"\(tuning.rawValue)\","
                text += "reason=\"\(reason.rawValue)\"} \(sum { $0.count(tuning, reason) })\n"
            }
        }
        text += head(
            "link_failures_total", "counter", "Large transfers amid which the connection broke.")
        for direction in LinkDirection.allCases {
            text += "millrace_link_failures_total{direction=\"\(direction)\"}"
            text += " \(sum { $0.failures(direction) })\n"
        }
        text += head(
            "link_transfer_seconds_total", "counter", "Time that large transfers were under way.")
        for direction in LinkDirection.allCases {
            let seconds = snapshots.reduce(0) { $0 + $1.links.seconds(direction) }
            text += "millrace_link_transfer_seconds_total{direction=\"\(direction)\"} \(seconds)\n"
        }
        return text
    }
}
