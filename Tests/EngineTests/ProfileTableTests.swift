// Goal:   clients are found again, in bounded memory, and the catalog hears of each change once.
// Method: a second table of plain dictionaries beside it, and a catalog that takes and refuses.

import BenchMeasure
import Foundation
import Testing

@testable import Engine

private func key(_ number: Int) -> ClientKey {
    guard let key = ClientKey(user: Array("\(number)".utf8)) else { preconditionFailure("no key") }
    return key
}

@Suite struct `A table of profiles` {
    @Test func `gives back what was noted, until its time is over`() {
        var table = ProfileTable(countMax: 4, secondsKept: 100)
        #expect(table.profile(of: key(1), now: 1000) == nil)
        table.update(key(1), now: 1000) { $0.transfers = 7 }
        #expect(table.profile(of: key(1), now: 1100)?.transfers == 7)
        #expect(table.profile(of: key(1), now: 1101) == nil)
        #expect(table.profile(of: key(2), now: 1000) == nil)
        // What comes after is a new client.
        table.update(key(1), now: 1101) { #expect($0.transfers == 0) }
        #expect(table.profile(of: key(1), now: 1101)?.seenSeconds == 1101)
    }

    /// A clock that was wrong and is set right, either way.
    @Test func `forgets by a clock that jumps, and keeps no client for ever`() {
        var table = ProfileTable(countMax: 4, secondsKept: 100)
        table.update(key(1), now: 5_000_000) { $0.transfers = 7 }
        #expect(table.profile(of: key(1), now: 4_999_900)?.transfers == 7)
        #expect(table.profile(of: key(1), now: 4_999_899) == nil)
        table.expire(now: 1000)
        #expect(table.count == 0)
        table.update(key(2), now: .max) { _ in }
        #expect(table.profile(of: key(2), now: 0) == nil)
        table.expire(now: 0)
        #expect(table.count == 0)
    }

    @Test func `makes room by forgetting whom it has not seen for longest`() {
        var table = ProfileTable(countMax: 32, secondsKept: 1000)
        for number in 0..<32 { table.update(key(number), now: UInt64(100 + number)) { _ in } }
        table.update(key(0), now: 200) { _ in }
        table.update(key(32), now: 201) { _ in }
        // A sixteenth of 32.
        #expect(table.count == 31)
        #expect([1, 2].allSatisfy { table.profile(of: key($0), now: 201) == nil })
        #expect(([0] + Array(3...32)).allSatisfy { table.profile(of: key($0), now: 201) != nil })
    }

    @Test func `is amended where there is something, and for no longer`() {
        var table = ProfileTable(countMax: 4, secondsKept: 100)
        table.amend(key(1), now: 10) { $0.chunkBytes = 4096 }
        #expect(table.count == 0)
        table.update(key(1), now: 10) { _ in }
        _ = table.takeUnsaved(most: 9)
        table.amend(key(1), now: 100) { $0.chunkBytes = 4096 }
        #expect(table.profile(of: key(1), now: 110)?.chunkBytes == 4096)
        #expect(table.profile(of: key(1), now: 111) == nil)
        #expect(table.unsavedCount == 1)
        _ = table.takeUnsaved(most: 9)
        table.amend(key(1), now: 100) { $0.chunkBytes = 4096 }
        #expect(table.unsavedCount == 0)
        table.amend(key(1), now: 111) { $0.chunkBytes = 8192 }
        #expect(table.unsavedCount == 0)
    }

    @Test func `tells the catalog of each change once`() {
        var table = ProfileTable(countMax: 4, secondsKept: 100)
        for number in 1...3 { table.update(key(number), now: 10) { _ in } }
        let counts = (1...3).map { _ in table.takeUnsaved(most: 2).count }
        #expect(counts == [2, 1, 0])
        table.update(key(2), now: 11) { $0.transfers = 5 }
        let changes = table.takeUnsaved(most: 9)
        #expect(changes.map(\.key) == [key(2)])
        #expect(changes[0].value.flatMap { ClientProfile(encoded: $0) }?.transfers == 5)
    }

    @Test func `tells it to drop only what it may have`() {
        var table = ProfileTable(countMax: 4, secondsKept: 100)
        table.update(key(1), now: 10) { _ in }
        let removals = [table.remove(key(1)), table.remove(key(1))]
        #expect(removals == [true, false])
        let none = table.takeUnsaved(most: 9)
        #expect(none.isEmpty)

        table.update(key(2), now: 10) { _ in }
        let put = table.takeUnsaved(most: 9)
        let wasThere = table.remove(key(2))
        #expect(wasThere)
        // Under way, and then refused: what counts is what became of it since.
        table.failed(put)
        let drop = table.takeUnsaved(most: 9)
        #expect(drop == [ProfileTable.Change(key: key(2), value: nil)])
        #expect(table.unsavedCount == 0)
    }

    @Test func `takes from the catalog what it can use, and has the rest dropped`() {
        var table = ProfileTable(countMax: 2, secondsKept: 100)
        var profile = ClientProfile()
        profile.seenSeconds = 50
        let loaded = [
            table.load(key(1), profile.encoded, now: 100),
            table.load(key(2), profile.encoded, now: 151),
            table.load(key(3), [1, 2, 3], now: 100),
            table.load(key(4), profile.encoded, now: 100),
            table.load(key(5), profile.encoded, now: 100),
        ]
        #expect(loaded == [true, false, false, true, false])
        #expect(table.count == 2)
        let dropped = table.takeUnsaved(most: 9)
        #expect(Set(dropped.map(\.key)) == [key(2), key(3), key(5)])
        #expect(dropped.allSatisfy { $0.value == nil })
        let wasThere = table.remove(key(1))
        let drop = table.takeUnsaved(most: 9)
        #expect(wasThere && drop == [ProfileTable.Change(key: key(1), value: nil)])
    }

    @Test func `lists in the order of keys, page by page`() {
        var table = ProfileTable(countMax: 50, secondsKept: 100)
        for number in (10..<40).reversed() { table.update(key(number), now: 10) { _ in } }
        table.update(key(5), now: 500) { _ in }
        var (seen, after): ([ClientKey], ClientKey?) = ([], nil)
        while true {
            let page = table.list(after: after, limit: 7, now: 10)
            guard let last = page.last else { break }
            seen += page.map(\.key)
            after = last.key
        }
        #expect(seen == (10..<40).map(key))
        table.removeAll()
        #expect(table.list(after: nil, limit: 7, now: 10).isEmpty)
    }

    /// With a catalog that refuses every other time, and for a while everything.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `and the catalog agree in the end, within bounds`(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var table = ProfileTable(countMax: 16, secondsKept: 60)
        var stored: [ClientKey: [UInt8]] = [:]
        var now: UInt64 = 1000
        for step in 0..<2000 {
            switch Int.random(in: 0...9, using: &random) {
            case 0...4:
                table.update(key(Int.random(in: 0..<60, using: &random)), now: now) {
                    $0.transfers += 1
                }
            case 5: _ = table.remove(key(Int.random(in: 0..<60, using: &random)))
            case 6: now += UInt64.random(in: 0...20, using: &random)
            case 7 where Int.random(in: 0...20, using: &random) == 0: table.removeAll()
            case 7: table.expire(now: now)
            default:
                let changes = table.takeUnsaved(most: Int.random(in: 1...9, using: &random))
                let isRefused = step % 500 > 300 || Bool.random(using: &random)
                // A commit that is refused may have happened all the same.
                if !isRefused || Bool.random(using: &random) {
                    for change in changes { stored[change.key] = change.value }
                }
                if isRefused { table.failed(changes) }
            }
            #expect(table.count <= 16)
            #expect(table.unsavedCount <= 3 * 16 + 9)
        }
        while case let changes = table.takeUnsaved(most: 9), !changes.isEmpty {
            for change in changes { stored[change.key] = change.value }
        }
        let listed = table.list(after: nil, limit: 99, now: now)
        for (key, profile) in listed { #expect(stored[key] == profile.encoded) }
        // What the table forgot for want of a catalog, a start drops.
        #expect(stored.count >= listed.count)
    }
}

@Suite struct `A profile` {
    private func record(
        _ direction: LinkDirection, rate: Double?, roundTrips: Double = 10, failed: Bool = false
    ) -> TransferRecord {
        var estimate = LinkEstimate()
        (estimate.bytesPerSecond, estimate.roundTrips) = (rate, roundTrips)
        estimate.roundTripNanoseconds = 80_000_000
        return TransferRecord(
            direction, linkClass: .broadband, estimate: estimate, bytes: 1 << 20, seconds: 2,
            hasFailed: failed)
    }

    @Test func `has what uploads told, and of downloads all but the rate`() {
        var profile = ClientProfile()
        profile.enter(record(.download, rate: 9e6), now: 1_000_000)
        #expect(profile.estimate.bytesPerSecond == nil)
        #expect(profile.estimate.roundTripNanoseconds == 80_000_000)
        #expect(profile.linkClass == .broadband && profile.transfers == 1)
        profile.enter(record(.upload, rate: 1e6), now: 1_002_000)
        #expect(profile.estimate.bytesPerSecond == 1e6)
        // A short one knows less than the one before.
        profile.enter(record(.upload, rate: 2e5, roundTrips: 1), now: 1_004_000)
        #expect(profile.estimate.bytesPerSecond == 1e6)
        profile.enter(record(.upload, rate: 3e6), now: 1_006_000)
        #expect(profile.estimate.bytesPerSecond == 3e6)
        #expect(profile.history.rateCount > 0)
    }

    @Test func `counts failures against the time of transfer`() {
        var profile = ClientProfile()
        for number in 0..<10 {
            let failed = number % 5 == 4
            profile.enter(record(.upload, rate: 1e6, failed: failed), now: 1_000_000)
        }
        #expect(profile.history.failures == 2 && profile.history.seconds == 20)
        #expect(0.8...0.9 ~= profile.reliability)
        var unknown = record(.upload, rate: nil)
        unknown.linkClass = .unknown
        profile.enter(unknown, now: 1_001_000)
        #expect(profile.linkClass == .broadband)
    }
}

@Suite struct `A profile as bytes` {
    @Test func `comes back as it was`() {
        var profile = ClientProfile()
        profile.linkClass = .satellite
        profile.reliability = 0.75
        profile.estimate.bytesPerSecond = 1e6
        profile.estimate.roundTripNanoseconds = 80_000_000
        profile.estimate.roundTrips = 17.5
        profile.dialect = 3
        (profile.chunkBytes, profile.transfers, profile.seenSeconds) = (4096, .max, 1 << 40)
        profile.history = LinkHistory(
            logRate: 13.5, logRateTrend: -0.25, logRateLeast: 1, logRateMost: 20,
            qualityMean: 12, roundTripSeconds: 0.04, failures: 2.5, seconds: 600,
            rateCount: 9, count: 10, updatedAt: 1_800_000_000_000)
        for index in 0..<32 { profile.history.belief.weights[index] = Float(index + 1) / 528 }
        #expect(profile.encoded.count == ClientProfile.encodedBytes)
        #expect(ClientProfile(encoded: profile.encoded) == profile)
        #expect(ClientProfile(encoded: ClientProfile().encoded) == ClientProfile())
    }

    @Test func `is none of another length, format or class`() {
        let bytes = ClientProfile().encoded
        for count in 0..<bytes.count {
            #expect(ClientProfile(encoded: Array(bytes[..<count])) == nil)
        }
        #expect(ClientProfile(encoded: bytes + [0]) == nil)
        for (index, value) in [(0, 0), (0, 1), (0, 3), (1, 6), (1, 255), (15, 1)] as [(Int, UInt8)]
        {
            var other = bytes
            other[index] = value
            #expect(ClientProfile(encoded: other) == nil, "\(value) at \(index)")
        }
    }

    /// A profile of 15 transfers as the version before wrote it: head, own numbers, estimate, and
    /// 13 fields of history.
    @Test func `is read in the format before as well`() throws {
        var bytes: [UInt8] = [1, 4, 2, 0, 0, 0, 0, 0]
        let (rate, roundTrip) = (log(1e6), 0.08)
        let own: [UInt64] = [1 << 20, 15, 1_800_000_000, (0.9).bitPattern]
        let estimate: [UInt64] = [(1e6).bitPattern, 80_000_000, 0, (12.0).bitPattern]
        let history: [UInt64] = [
            rate.bitPattern, 0, rate.bitPattern, rate.bitPattern, rate.bitPattern,
            roundTrip.bitPattern, (3.0).bitPattern, (600.0).bitPattern, (2.0).bitPattern,
            (50.0).bitPattern, 14, 15, 1_800_000_000_000,
        ]
        for number in own + estimate + history {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        let profile = try #require(ClientProfile(encoded: bytes))
        #expect(profile.linkClass == .mobile && profile.transfers == 15)
        #expect(profile.history.failures == 3 && profile.history.seconds == 600)
        #expect(profile.history.rateCount == 14 && profile.history.count == 15)
        #expect(profile.history.updatedAt == 1_800_000_000_000)
        let forecast = profile.history.forecast(at: 1_800_000_000_000, .mobile)
        // What is usual, and nothing else is known: the hazard of all times, about.
        let hazard = forecast?.failuresPerSecond ?? 0
        #expect(hazard > 0.002 && hazard < 0.02, "\(hazard)")
        bytes[0] = 2
        #expect(ClientProfile(encoded: bytes) == nil)
        bytes[0] = 1
        #expect(ClientProfile(encoded: bytes.dropLast()) == nil)
    }

    /// Whatever a damaged page holds: bounded, or refused.
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `has no number that is none`(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bytes = ClientProfile().encoded
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            bytes[Int.random(in: 8..<bytes.count, using: &random)] = .random(
                in: 0...255, using: &random)
        }
        guard let profile = ClientProfile(encoded: bytes) else { return }
        #expect(abs(profile.history.logRate) <= 50 && abs(profile.history.logRateTrend) <= 50)
        #expect(profile.history.failures >= 0 && profile.history.seconds <= 1e12)
        #expect(profile.chunkBytes <= 1 << 30)
        #expect(ClientProfile(encoded: profile.encoded) == profile)
    }
}
