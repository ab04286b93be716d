/// What a core asks the kernel of a link beside its transfers, none of which waits for an answer.

import Engine
import HTTP
import IO

/// Under which tag the loop tells an answer: for which row of `LinkTable` it is, and what was
/// asked.
enum LinkQuestion: Equatable {
    case sample
    case address
    /// A socket was told something; whether it took that.
    case tuning(LinkCounters.Tuning, LinkCounters.Reason)

    private static let bits: UInt32 = 4
    private static let tuningsFrom: UInt32 = 2

    func tag(_ number: UInt32) -> UInt32 {
        precondition(number >> (32 - LinkQuestion.bits) == 0, "more links than a tag tells apart")
        return number << LinkQuestion.bits | code
    }

    static func read(_ tag: UInt32) -> (LinkQuestion, number: UInt32) {
        let (number, code) = (tag >> bits, tag & (1 << bits - 1))
        switch code {
        case 0: return (.sample, number)
        case 1: return (.address, number)
        default:
            let index = Int(code - tuningsFrom)
            let reasons = LinkCounters.Reason.allCases
            return (
                .tuning(
                    LinkCounters.Tuning.allCases[index / reasons.count],
                    reasons[index % reasons.count]), number
            )
        }
    }

    private var code: UInt32 {
        switch self {
        case .sample: 0
        case .address: 1
        case .tuning(let what, let reason):
            LinkQuestion.tuningsFrom + UInt32(LinkCounters.index(what, reason))
        }
    }
}

/// What is under way of that for one link.
struct LinkInquiry: Sendable {
    struct Sample: Sendable {
        let direction: LinkDirection
        /// Before it the client may have rested.
        let isBeginning: Bool
        /// When it was asked for, which is when the kernel looks.
        let at: UInt64
        let target: Region
    }

    /// One at a time: it has one place to be written to.
    var sample: Sample?
    /// Another was wanted meanwhile: it is asked for next.
    var next: LinkDirection?
    /// A transfer has begun, and none has been asked for since.
    var isBeginning = false
    var addressTarget: Region?
    /// Answers that are still to come.
    var answersDue = 0
    /// A transfer that has ended, but for the sample of its end.
    var ended: EndedTransfer?
}

/// A transfer whose bytes are through.
struct EndedTransfer: Sendable {
    let direction: LinkDirection
    let bytes: UInt64
    let seconds: Double
    let hasFailed: Bool
    /// Whose credential it had; nil: of a client that only its network tells of.
    let user: ClientKey?
}
