/// What the metrics page tells of advice to clients: why chunks were planned as they were, and how
/// many clients are remembered.

import Engine

extension ChunkReason {
    /// The value of the label `reason`.
    var label: String {
        switch self {
        case .tier: "tier"
        case .unknownLink: "unknown_link"
        case .balance: "balance"
        case .forecast: "forecast"
        case .shortestAllowed: "shortest_allowed"
        case .longestAllowed: "longest_allowed"
        }
    }
}

extension MetricsDocument {
    static func chunkText(_ snapshots: [CoreSnapshot]) -> String {
        var text = head(
            "chunk_plans_total", "counter", "Plans for the chunks of uploads, by what decided.")
        for snapshot in snapshots {
            for reason in ChunkReason.allCases {
                text += "millrace_chunk_plans_total{core=\"\(snapshot.core)\""
                text += ",reason=\"\(reason.label)\"} "
                text += "\(snapshot.counters.chunkPlans[reason.rawValue])\n"
            }
        }
        return text
    }

    static func profileText(_ store: StoreSnapshot, _ snapshots: [CoreSnapshot]) -> String {
        func line(_ name: String, _ kind: String, _ help: String, _ value: UInt64) -> String {
            head(name, kind, help) + "millrace_\(name) \(value)\n"
        }
        return line(
            "client_profiles", "gauge", "Clients that are remembered.",
            UInt64(store.clientProfiles))
            + line(
                "client_profiles_unsaved", "gauge", "Of whom the catalog is still to be told.",
                UInt64(store.clientProfilesUnsaved))
            + line(
                "client_profiles_dropped_total", "counter",
                "Found at the start, and too old, too many or senseless.",
                snapshots.reduce(0) { $0 + $1.counters.profilesDropped })
            + line(
                "client_profile_save_errors_total", "counter",
                "Times that the catalog refused to be told.",
                snapshots.reduce(0) { $0 + $1.counters.profileSaveErrors })
    }
}
