/// Who takes the answers to what the core has asked on nobody's behalf: its probes of its own
/// delay, and what it wants to know of links.

import IO
public import Loop

extension Core: AnswerObserver {
    /// Of questions about links no tag is 0: their rows are numbered from 1 on.
    static let probeTag: UInt32 = 0

    public nonisolated func answered(_ tag: UInt32, _ result: Int32) {
        // Apart, so that probes, which come with every few requests, capture nothing.
        guard tag != Core.probeTag else { return assumeIsolated { $0.probeIsBack() } }
        assumeIsolated { $0.linkAnswered(tag, result) }
    }

    public nonisolated func turnEnds() {}
}
