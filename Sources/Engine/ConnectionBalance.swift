/// Which core a connection that was just accepted should live on, given how many each core has.
///
/// SO_REUSEPORT spreads connections by a hash, which leaves few of them badly spread: of 16 on two
/// cores one gets ten or more 45 % of the time. So a core with too many hands a new one on.

public enum ConnectionBalance {
    /// One core may have 5 connections where another has 4; more is worth a message between them.
    static let tolerated = (more: 5, fewer: 4)

    /// The core that is to take the new connection; nil if it stays where it was accepted.
    ///
    /// It goes to the core with the fewest, the next one behind `accepting` where several have as
    /// few. No core ends up with more than the one it came from, so none hands it on or back.
    ///
    /// - Parameters:
    ///   - accepting: the core that accepted it.
    ///   - counts: connections of each core, the new one counted where it was accepted.
    ///   - countMax: a core with so many takes no more.
    public static func target(
        from accepting: Int, counts: Span<Int>, countMax: Int = .max
    ) -> Int? {
        var target = accepting
        for step in 1..<max(1, counts.count) {
            let core = (accepting + step) % counts.count
            if counts[core] < counts[target] { target = core }
        }
        let (own, fewest) = (counts[accepting], counts[target])
        guard own >= fewest + 2, fewest < countMax else { return nil }
        return own * tolerated.fewer > fewest * tolerated.more ? target : nil
    }
}
