/// The metrics of disks that fail for a while: the process's, so they have no core.

import Store

extension MetricsDocument {
    static func resilienceText(_ store: ResilienceStatistics) -> String {
        rows(
            "volume_circuit_state", "gauge", "Volumes by whether they are written to.",
            [
                ("{state=\"closed\"}", UInt64(store.closedVolumes)),
                ("{state=\"open\"}", UInt64(store.openVolumes)),
                ("{state=\"half_open\"}", UInt64(store.halfOpenVolumes)),
            ])
            + rows(
                "volume_circuit_opens_total", "counter", "Times that a volume took no more writes.",
                [("", store.opens)])
            + rows(
                "volume_circuit_closes_total", "counter", "Times that one took writes again.",
                [("", store.closes)])
            + rows(
                "volume_probes_total", "counter", "Trials of volumes that failed, by outcome.",
                [
                    ("{outcome=\"succeeded\"}", store.closes),
                    ("{outcome=\"failed\"}", store.probesFailed),
                ])
            + rows(
                "volume_probe_seconds", "gauge", "Until the next of them; 0 if none is due.",
                [("", store.secondsUntilProbe ?? 0)])
            + rows(
                "volume_quarantined_bytes", "gauge",
                "Space of volumes that failed which is not used for a while.",
                [
                    ("{class=\"small\"}", store.quarantinedBytes.small),
                    ("{class=\"large\"}", store.quarantinedBytes.large),
                ])
            + rows(
                "retries_total", "counter", "Operations of the disk that were asked again.",
                [
                    ("{operation=\"read\"}", store.reads.retries),
                    ("{operation=\"write\"}", store.writes.retries),
                ])
            + rows(
                "retried_operations_total", "counter", "What became of those that failed once.",
                outcomes("read", store.reads) + outcomes("write", store.writes))
    }

    private static func outcomes(
        _ operation: String, _ counts: RetryCounts
    ) -> [(String, UInt64)] {
        [
            ("recovered", counts.recovered), ("exhausted", counts.exhausted),
            ("refused", counts.refused),
        ].map { ("{operation=\"\(operation)\",outcome=\"\($0.0)\"}", $0.1) }
    }

    private static func rows(
        _ name: String, _ kind: String, _ help: String, _ samples: [(String, UInt64)]
    ) -> String {
        samples.reduce("# HELP millrace_\(name) \(help)\n# TYPE millrace_\(name) \(kind)\n") {
            $0 + "millrace_\(name)\($1.0) \($1.1)\n"
        }
    }
}
