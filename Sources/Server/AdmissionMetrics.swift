/// What the metrics page tells of admission: what was refused and why, and by what it was decided.

import Engine
import Loop

extension Admission.Reason {
    /// The value of the label `reason`.
    var label: String {
        switch self {
        case .delay: "delay"
        case .memory: "memory"
        case .bytes: "bytes"
        case .work: "work"
        }
    }
}

extension MetricsDocument {
    static func admissionText(_ snapshots: [CoreSnapshot]) -> String {
        var text = head(
            "admission_refusals_total", "counter", "New requests refused for overload, by why.")
        for snapshot in snapshots {
            for reason in Admission.Reason.allCases {
                text += "millrace_admission_refusals_total{core=\"\(snapshot.core)\""
                text += ",reason=\"\(reason.label)\"} "
                text += "\(snapshot.counters.admissionRefusals[reason.rawValue])\n"
            }
        }
        text += head(
            "admission_queue_delay_seconds", "histogram",
            "How long what is ready waits for the core, while requests are under way.")
        for snapshot in snapshots {
            text += samples(
                "admission_queue_delay_seconds", "core=\"\(snapshot.core)\"",
                snapshot.counters.queueDelays)
        }
        text += head("buffer_utilization_ratio", "gauge", "Leasable buffer memory in use.")
        for snapshot in snapshots {
            let used = snapshot.poolBytesTotal - snapshot.poolBytesFree
            let share = Double(used) / Double(max(snapshot.poolBytesTotal, 1))
            text += "millrace_buffer_utilization_ratio{core=\"\(snapshot.core)\"} \(share)\n"
        }
        return text
    }
}
