/// What the samples themselves say about how far to trust them.
public enum Warnings {
    /// So much CPU of strangers a second is noise that may decide a throughput.
    static let strangersMax = 0.10
    /// So far may the clocks of one server be apart.
    static let clocksApartMax = 0.05

    public static func of(_ rows: [RowResult]) -> [String] {
        rows.flatMap { row in row.sides.flatMap { of($0, in: row) } }
    }

    private static func of(_ side: RowResult.SideResult, in row: RowResult) -> [String] {
        var warnings: [String] = []
        let (name, figures) = ("\(row.row.name), \(side.side.rawValue)", side.figures)
        if row.row.isCached, figures.serverUse.median < Row.saturation {
            let use = Digits.fixed(figures.serverUse.median * 100, 0)
            warnings.append(
                "\(name): the server used \(use) % of its CPU, so that its throughput may be the"
                    + " client's")
        }
        if figures.strangersGreatest > strangersMax {
            let strangers = Digits.fixed(figures.strangersGreatest * 100, 0)
            warnings.append(
                "\(name): kernel threads and other programs took up to \(strangers) % of a CPU in"
                    + " a round")
        }
        let mine = row.samples.filter { $0.side == side.side }
        if mine.contains(where: { !$0.isConfined }) {
            warnings.append("\(name): a thread of the server was not bound to its CPU")
        }
        if mine.contains(where: clocksDisagree) {
            warnings.append("\(name): the process clock and the tick counters disagree")
        }
        return warnings
    }

    /// Ticks are too coarse for short rounds: only a second and more is compared.
    private static func clocksDisagree(_ sample: Sample) -> Bool {
        guard sample.serverCPU >= 1 else { return false }
        return (sample.serverCPUByTicks / sample.serverCPU - 1).magnitude > clocksApartMax
    }
}
