/// What a link of the lab is like, and when it fails.

import BenchMeasure
import Glibc

public struct LinkCharacter: Equatable, Sendable, Encodable {
    /// In each direction.
    public var megabitsPerSecond: Double
    /// Of a packet and its answer when nothing waits in between.
    public var roundTripMilliseconds: Double
    /// At most so much is added to each way, evenly distributed; packets never overtake.
    public var jitterMilliseconds: Double
    /// Of packets, either way, each for itself.
    public var lossShare: Double
    /// Where its narrow place is: at the sender's own device, whose kernel feels its queue and
    /// sends no more than fits (TCP small queues), or beyond, where only delay and losses tell.
    public var isNarrowBeyond = false
    /// Mean time between cuts, which end every connection; nil: there are none.
    public var secondsBetweenCuts: Double?
    /// Mean time between outages, in which packets are lost and connections stay; nil: none.
    public var secondsBetweenOutages: Double?
    public var outageSeconds: Double

    public init(
        megabitsPerSecond: Double, roundTripMilliseconds: Double, jitterMilliseconds: Double = 0,
        lossShare: Double = 0, secondsBetweenCuts: Double? = nil,
        secondsBetweenOutages: Double? = nil,
        outageSeconds: Double = 0
    ) {
        precondition((0..<1).contains(lossShare), "a link that carries nothing is none")
        self.lossShare = lossShare
        (self.megabitsPerSecond, self.roundTripMilliseconds) = (
            megabitsPerSecond, roundTripMilliseconds
        )
        self.jitterMilliseconds = jitterMilliseconds
        self.secondsBetweenCuts = secondsBetweenCuts
        self.secondsBetweenOutages = secondsBetweenOutages
        self.outageSeconds = outageSeconds
    }

    public var words: String {
        let fixed = { (value: Double) in Digits.fixed(value, value == value.rounded() ? 0 : 1) }
        var parts = ["\(fixed(megabitsPerSecond)) Mbit/s", "\(fixed(roundTripMilliseconds)) ms"]
        if jitterMilliseconds > 0 { parts.append("jitter \(fixed(jitterMilliseconds)) ms") }
        if isNarrowBeyond { parts.append("narrow beyond the sender") }
        if lossShare > 0 { parts.append("\(fixed(lossShare * 100)) % lost") }
        if let secondsBetweenCuts { parts.append("a cut every \(fixed(secondsBetweenCuts)) s") }
        if let secondsBetweenOutages {
            parts.append(
                "out for \(fixed(outageSeconds)) s every \(fixed(secondsBetweenOutages)) s")
        }
        return parts.joined(separator: ", ")
    }

    /// The same with its narrow place there.
    public var narrowBeyond: LinkCharacter {
        var link = self
        link.isNarrowBeyond = true
        return link
    }

    /// Of a buffer in front of it that is as long as the link, 64 KiB at least.
    public var bufferBytes: Int {
        max(64 << 10, Int(megabitsPerSecond / 8 * 1e6 * roundTripMilliseconds / 1e3))
    }
}

/// The same moments for the same seed, whatever is sent meanwhile.
struct LinkSchedule: Sendable {
    private let link: LinkCharacter
    private var cutDraws: SplitMix64
    private var outageDraws: SplitMix64
    private var jitterDraws: SplitMix64
    private var lossDraws: SplitMix64
    /// Nanoseconds since the beginning.
    private(set) var nextCut: UInt64?
    private var outage: Range<UInt64>?

    init(_ link: LinkCharacter, seed: UInt64) {
        self.link = link
        let draws = (1...4).map { SplitMix64(seed: SplitMix64.mix(seed) ^ SplitMix64.mix($0)) }
        (cutDraws, outageDraws, jitterDraws) = (draws[0], draws[1], draws[2])
        lossDraws = draws[3]
        drawCut(after: 0)
        drawOutage(after: 0)
    }

    /// Whether it was cut up to then, and not asked about before.
    mutating func isCut(by elapsed: UInt64) -> Bool {
        var isCut = false
        while let moment = nextCut, moment <= elapsed {
            isCut = true
            drawCut(after: moment)
        }
        return isCut
    }

    /// Whether it loses what is sent then. Moments that are asked for never go back.
    mutating func isOut(at elapsed: UInt64) -> Bool {
        while let current = outage, current.upperBound <= elapsed {
            drawOutage(after: current.upperBound)
        }
        return outage?.contains(elapsed) == true
    }

    /// Whether the next packet is lost on its way.
    mutating func losesNext() -> Bool {
        link.lossShare > 0 && LinkSchedule.share(&lossDraws) < link.lossShare
    }

    /// From one end to the other, for the next packet.
    mutating func nanosecondsOneWay() -> UInt64 {
        let milliseconds =
            link.roundTripMilliseconds / 2
            + link.jitterMilliseconds * LinkSchedule.share(&jitterDraws)
        return UInt64(milliseconds * 1e6)
    }

    private mutating func drawCut(after moment: UInt64) {
        nextCut = link.secondsBetweenCuts.map {
            moment + LinkSchedule.exponential(&cutDraws, mean: $0)
        }
    }

    private mutating func drawOutage(after moment: UInt64) {
        outage = link.secondsBetweenOutages.map {
            let start = moment + LinkSchedule.exponential(&outageDraws, mean: $0)
            return start..<start + max(1, UInt64(link.outageSeconds * 1e9))
        }
    }

    /// In [0, 1).
    private static func share(_ draws: inout SplitMix64) -> Double {
        Double(draws.next() >> 11) * 0x1p-53
    }

    private static func exponential(_ draws: inout SplitMix64, mean seconds: Double) -> UInt64 {
        max(1, UInt64(-log1p(-share(&draws)) * seconds * 1e9))
    }
}
