// Goal:   congestion control is chosen only if an operator wants it, among what the kernel lets
//         this process choose and can be taken back.
// Method: files of made-up kernels, and this one's.

import Configuration
import Engine
import IO
import Synchronization
import Testing

@testable import Runtime

@Suite struct `What sockets may be told` {
    private final class Lines: Sendable {
        let count = Mutex(0)
    }

    private func choices(
        _ toml: String, system: String?, allowed: String?, warnings: Int = 0
    ) throws -> LinkTuning.Choices {
        let settings = try Settings.parse(toml: toml).streaming
        let files = SystemFiles(
            read: { path in
                if path.hasSuffix("/tcp_congestion_control") { return system }
                return path.hasSuffix("/tcp_allowed_congestion_control") ? allowed : nil
            }, list: { _ in [] })
        let lines = Lines()
        let journal = Journal { _, _, _ in lines.count.withLock { $0 += 1 } }
        let choices = TuningChoices.find(settings, files, journal)
        #expect(lines.count.withLock { $0 } == warnings)
        return choices
    }

    @Test func `is nothing by default, whatever the kernel has`() throws {
        #expect(
            try choices("", system: "cubic\n", allowed: "reno cubic bbr\n")
                == LinkTuning.Choices())
        let paced = try choices("streaming.pacing = true", system: nil, allowed: nil)
        #expect(paced.paces && paced.congestionControls.isEmpty)
    }

    @Test func `is what the kernel lets`() throws {
        let adaptive = "streaming.congestion_control = \"adaptive\""
        let all = try choices(adaptive, system: "cubic\n", allowed: "reno cubic bbr dctcp\n")
        #expect(all.congestionControls == [.reno, .cubic, .bbr] && all.systemControl == .cubic)
        let poor = try choices(adaptive, system: "reno", allowed: "reno cubic", warnings: 1)
        #expect(poor.congestionControls == [.reno, .cubic])
        let strange = try choices(adaptive, system: "vegas", allowed: "bbr", warnings: 1)
        #expect(strange.systemControl == nil)
        let none = try choices(adaptive, system: nil, allowed: nil, warnings: 1)
        #expect(none.congestionControls.isEmpty && none.systemControl == nil)
    }
}
