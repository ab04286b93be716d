/// How long requests take that wait for a core, whatever it is that they wait for: as many are
/// answered in a time as there are on average, divided by how long each takes (Little's law).
/// So it is enough to look now and then how many there are, and nothing has to be kept of any.
struct WorkTimes: Sendable {
    /// Unless all looks but one of so many have found enough requests, there was no line but only
    /// bursts.
    private static let looksPerGap: UInt64 = 8
    /// With fewer answers an interval goes on: a disk that stands still for once is no line.
    private static let answersMin: UInt64 = 16
    /// For so many intervals at most.
    private static let intervalsMax: UInt64 = 10

    private let interval: UInt64
    private var start: UInt64 = 0
    private var lookedAt: UInt64 = 0
    private var answersBefore: UInt64 = 0
    private var looks: UInt64 = 0
    private var gaps: UInt64 = 0
    /// Of requests found.
    private var sum: UInt64 = 0

    /// What an interval has shown.
    struct Finding: Equatable {
        /// How many on average; 0 if there were not always some.
        let count: UInt64
        /// Mean nanoseconds of each; the interval's, if none was answered.
        let time: UInt64
    }

    init(interval: UInt64) { self.interval = interval }

    /// Nil as long as the interval lasts.
    mutating func look(_ load: AdmissionLoad, at now: UInt64) -> Finding? {
        defer { lookedAt = now }
        // Nobody has looked meanwhile.
        if now - lookedAt >= interval {
            begin(load, at: now)
            return nil
        }
        looks += 1
        sum += UInt64(load.pressing)
        if load.pressing < Admission.requestsMin { gaps += 1 }
        let (elapsed, answers) = (now - start, load.answers &- answersBefore)
        guard elapsed >= interval,
            answers >= WorkTimes.answersMin || elapsed >= interval * WorkTimes.intervalsMax
        else { return nil }
        let isLine = gaps * WorkTimes.looksPerGap <= looks
        let finding = Finding(
            count: isLine ? sum / looks : 0, time: time(of: answers, in: elapsed))
        begin(load, at: now)
        return finding
    }

    /// In floating point: intervals may be minutes, in nanoseconds.
    private func time(of answers: UInt64, in elapsed: UInt64) -> UInt64 {
        guard answers > 0 else { return elapsed }
        let mean = Double(sum) / Double(looks)
        return UInt64(min(mean * Double(elapsed) / Double(answers), 1e18))
    }

    private mutating func begin(_ load: AdmissionLoad, at now: UInt64) {
        (start, answersBefore) = (now, load.answers)
        (looks, gaps, sum) = (0, 0, 0)
    }
}
