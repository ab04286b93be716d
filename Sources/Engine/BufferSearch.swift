/// The best buffer size on one way through the server, found by trials of its neighbours: downhill
/// as long as that pays, and then rest for an interval.

struct BufferSearch: Sendable {
    private let limits: BufferLimits
    private(set) var best: Int
    private(set) var changes: UInt64 = 0
    private(set) var trials: UInt64 = 0
    private var trial: BufferTrial?
    private var isGrowing = false
    /// In this round the other direction was tried, or this one has paid.
    private var isDirectionSettled = false
    private var restsUntil: UInt64 = 0

    /// A trial that finds something moves half a GiB: 300 s at 14 Mbit/s.
    private static let trialNanosecondsMin: UInt64 = 300_000_000_000

    init(_ limits: BufferLimits) {
        self.limits = limits
        best = limits.largest
    }

    /// The size to use now.
    var bufferBytes: Int { trial?.bufferBytes ?? best }

    /// Counts what has passed. True: `measured` wants to be told the time.
    mutating func moved(_ count: Int, now: UInt64) -> Bool {
        guard limits.isAdaptive, limits.smallest < limits.largest else { return false }
        if let trial {
            let nanosecondsMax = max(limits.intervalNanoseconds, BufferSearch.trialNanosecondsMin)
            guard now - trial.startedAt <= nanosecondsMax else {
                // Too little passes to learn from.
                rest(now)
                return false
            }
        } else if now >= restsUntil {
            isDirectionSettled = false
            tryNeighbour(now)
        }
        return trial?.moved(count) ?? false
    }

    /// As `BufferTrial.measured`.
    mutating func measured(microseconds: UInt32, leasedBytes: Int, now: UInt64) {
        let verdict = trial?.measured(microseconds: microseconds, leasedBytes: leasedBytes)
        switch verdict {
        case .undecided, nil: return
        case .change:
            best = trial?.candidate ?? best
            changes += 1
            isDirectionSettled = true
            tryNeighbour(now)
        case .keep where isDirectionSettled:
            rest(now)
        case .keep:
            isDirectionSettled = true
            isGrowing.toggle()
            tryNeighbour(now)
        }
    }

    private var neighbour: Int? {
        let size = isGrowing ? best * 2 : best / 2
        return limits.smallest...limits.largest ~= size ? size : nil
    }

    private mutating func tryNeighbour(_ now: UInt64) {
        if neighbour == nil, !isDirectionSettled {
            isDirectionSettled = true
            isGrowing.toggle()
        }
        guard let neighbour else { return rest(now) }
        trials += 1
        trial = BufferTrial(current: best, candidate: neighbour, startedAt: now)
    }

    private mutating func rest(_ now: UInt64) {
        trial = nil
        restsUntil = now + limits.intervalNanoseconds
    }
}
