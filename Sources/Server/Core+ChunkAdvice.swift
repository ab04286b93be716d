/// What clients are advised: how long the chunks of their upload should be, and how many to send at
/// once, by what is known of their links.

import Engine
import HTTP
import IO
import Loop
import Store
import Volumes

extension Core {
    /// A plan for an upload of `length` bytes by the client of this request, of which those before
    /// `offset` have come (nil: all its chunks are to have one length), and one request may bring
    /// `bytesMax`; nil where nobody is to be advised.
    func chunkPlan(
        _ request: Request, _ dialect: UploadDialect, length: UInt64?, offset: UInt64?,
        owner: [UInt8], bytesMax: UInt64? = nil
    ) async -> ChunkPlan? {
        guard settings.plansChunks else { return nil }
        let key = await clientKey(request.slot, owner: owner)
        var facts = transferFacts(request.slot, profile(of: key))
        facts.size = length
        if let length, let offset { facts.bytesLeft = length - min(length, offset) }
        var plan = ChunkPlanner.plan(settings.chunkAlgorithm, facts, limits: settings.chunks)
        plan.chunkBytes = min(plan.chunkBytes, bytesMax ?? .max)
        counters.chunkPlans[plan.reason.rawValue] &+= 1
        if let key {
            let (now, plan) = (loop.wallSeconds, plan)
            settings.profiles?.with { table in
                table.amend(key, now: now) { profile in
                    profile.chunkBytes = plan.chunkBytes
                    profile.dialect = dialect.rawValue
                }
            }
        }
        return plan
    }

    /// For numbered chunks, which all have the length that they begin with.
    func numberedChunkPlan(
        _ request: Request, length: UInt64, owner: [UInt8]
    ) async -> ChunkPlan {
        let plan = await chunkPlan(
            request, .numbered, length: length, offset: nil, owner: owner)
        if let plan { return plan }
        return ChunkPlan(
            chunkBytes: ChunkPlanner.fixed(TransferFacts(size: length), limits: settings.chunks),
            parallelism: 1, reason: .tier)
    }

    private func profile(of key: ClientKey?) -> ClientProfile? {
        guard let key, let profiles = settings.profiles else { return nil }
        let now = loop.wallSeconds
        return profiles.with { $0.profile(of: key, now: now) }
    }

    /// What is known of the link that an upload comes by: of this connection, and of the client's
    /// earlier ones.
    private func transferFacts(_ slot: Int, _ profile: ClientProfile?) -> TransferFacts {
        let estimate = linkEstimate(slot, .upload).completed(by: profile?.estimate)
        var facts = TransferFacts(
            bytesPerSecond: estimate.bytesPerSecond.map { UInt64($0) },
            roundTripNanoseconds: estimate.roundTripNanoseconds)
        facts.roundTrips = estimate.roundTrips
        let ownClass = linkClass(slot)
        facts.linkClass = ownClass == .unknown ? profile?.linkClass ?? .unknown : ownClass
        if let profile {
            let now = loop.wallSeconds * 1000
            (facts.history, facts.now) = (profile.history, now)
            facts.failuresPerSecond = profile.history.hazard(at: now)
                .failuresPerSecond(facts.linkClass)
            facts.reliability = profile.reliability
        }
        return facts
    }
}

extension OutputSpan<UInt8> {
    /// `Millrace-Chunk: 2097152;parallel=4`, an Item of RFC 9651: the bytes that each request
    /// should bring, and how many requests at once fill the link.
    mutating func appendChunkAdvice(_ plan: ChunkPlan, tellsParallelism: Bool) {
        append("Millrace-Chunk: ")
        append(decimal: plan.chunkBytes)
        if tellsParallelism, plan.parallelism > 1 {
            append(";parallel=")
            append(decimal: UInt64(plan.parallelism))
        }
        append("\r\n")
    }
}
