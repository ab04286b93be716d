// Goal:   no transfer waits for what is asked of its link, and no answer reaches the wrong one.
// Method: a store whose kernel the test plays; turns of the loop are counted.

import Engine
import IO
import Loop
import Simulator
import Testing

@testable import Server

@Suite struct `What is asked of a link` {
    /// Turns of the loop that a PUT and two GETs of 12 MiB took, and samples.
    private func turns(
        isWatched: Bool, _ change: (inout FrontSettings) -> Void = { _ in }
    ) throws -> (count: Int, samples: Int) {
        var counts = (count: 0, samples: 0)
        let configure: (inout FrontSettings) -> Void = { settings in
            settings.estimatesLinks = isWatched
            change(&settings)
        }
        try withLinks(configure) { bed, _ in
            bed.front.address = [2, 0, 0, 80, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]
            let client = bed.front.connect()
            // Long enough for samples amid each.
            bed.front.diskTime = { _ in 3_000_000 }
            let start = bed.front.turnCount
            try bed.put(client, "large", noise(12 << 20, seed: 1))
            for _ in 0..<2 { #expect(bed.get(client, "large")?.body.count == 12 << 20) }
            counts = (bed.front.turnCount - start, bed.count(.linkInfo))
            bed.front.diskTime = { _ in 0 }
            bed.leave(client)
        }
        return counts
    }

    @Test func `takes no transfer a turn of the ring`() throws {
        let unwatched = try turns(isWatched: false)
        #expect(unwatched.samples == 0)
        let watched = try turns(isWatched: true)
        #expect(watched.samples > 6)
        #expect(watched.count == unwatched.count)
        // Nor does it to find out whose it is.
        let remembered = try turns(isWatched: true) {
            $0.profiles = ClientProfiles(secondsKept: 3600)
        }
        #expect(remembered.count == unwatched.count)
    }

    @Test func `is told apart`() {
        var seen: Set<UInt32> = []
        for number in [1, 2, (1 << 28) - 1] as [UInt32] {
            var questions = [LinkQuestion.sample, .address]
            for what in LinkCounters.Tuning.allCases {
                for reason in LinkCounters.Reason.allCases {
                    questions.append(.tuning(what, reason))
                }
            }
            for question in questions {
                let tag = question.tag(number)
                #expect(seen.insert(tag).inserted)
                let (read, owner) = LinkQuestion.read(tag)
                #expect(read == question && owner == number)
            }
        }
    }

    /// A connection that has sent half of an upload.
    private func uploading(_ bed: StoredBed) throws -> Client {
        let client = bed.front.connect()
        client.send(try bed.signed("large", 4 << 20))
        bed.front.settle()
        client.send(noise(2 << 20, seed: 7))
        bed.front.settle()
        return client
    }

    @Test func `is not told of the next connection`() throws {
        try withLinks { bed, _ in
            let client = try uploading(bed)
            let samples = bed.links.samples
            // The kernel has not answered when the slot is another's.
            bed.front.on { core in
                core.askSample(core.connections[0].link, .upload)
                core.askSample(core.connections[0].link, .upload)
                core.askAddress(core.connections[0].link)
                let link = core.connections[0].link
                core.links.leave(link)
                #expect(core.links.count == 1, "it is owed answers")
                core.connections[0].link = core.links.add(0)
                #expect(core.connections[0].link != link)
            }
            bed.front.settle()
            // The one that was asked; nobody is there to ask the second of.
            #expect(bed.links.samples == samples + 1)
            #expect(bed.front.on { $0.links.count } == 1)
            bed.front.reset(client)
            bed.front.settle()
        }
    }

    @Test func `is known of each of two transfers that end in one turn`() throws {
        try withLinks { bed, _ in
            let client = try uploading(bed)
            bed.front.pass(seconds: 1)
            bed.front.on { core in
                core.endTransfer(0, isBroken: true)
                let number = core.connections[0].link
                core.links[number].watch = TransferWatch(.download, bytes: nil, now: core.loop.now)
                core.endTransfer(0, isBroken: true)
                // The second waits for what the kernel says.
                #expect(core.links.counters.failures(.upload) == 1)
                #expect(core.links.counters.failures(.download) == 0)
            }
            let samples = bed.links.samples
            bed.front.settle()
            #expect(bed.links.failures(.download) == 1)
            #expect(bed.links.samples == samples + 2, "one for each")
            bed.front.reset(client)
            bed.front.settle()
        }
    }
}
