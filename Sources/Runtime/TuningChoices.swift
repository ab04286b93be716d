/// What connections may be told about how they send: what the operator wants, among what this
/// kernel lets the process choose.

import Configuration
import Engine
import IO

enum TuningChoices {
    private static let directory = "/proc/sys/net/ipv4"

    static func find(
        _ settings: Settings.StreamingSection, _ files: SystemFiles, _ journal: Journal
    ) -> LinkTuning.Choices {
        var choices = LinkTuning.Choices()
        choices.paces = settings.paces
        guard settings.congestionControl == .adaptive else { return choices }
        choices.systemControl = files.read("\(directory)/tcp_congestion_control")
            .flatMap { CongestionControl(rawValue: $0.trimmed) }
        let allowed = files.read("\(directory)/tcp_allowed_congestion_control") ?? ""
        choices.congestionControls = allowed.split(whereSeparator: \.isWhitespace)
            .compactMap { CongestionControl(rawValue: String($0)) }
        if !choices.congestionControls.contains(.bbr) || choices.systemControl == nil {
            journal.warning(
                "streaming.congestion_control has nothing to choose from",
                [("allowed", allowed.trimmed)])
        }
        return choices
    }
}
