// Goal:   large transfers tell of their links, sockets follow, and whatever the kernel or a client
//         says, nothing breaks; small transfers ask for nothing.
// Method: a store whose kernel the test plays; what it was asked for is counted.

import Engine
import IO
import Simulator
import Testing

@testable import Server

@Suite struct `A link` {
    @Test func `is asked for amid large transfers, and at their ends`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            client.linkInfo = { KernelLink(receivedBytes: UInt64($0) << 20).bytes }
            client.send(try bed.signed("large", 12 << 20))
            bed.front.settle()
            let bytes = noise(12 << 20, seed: 1)
            for start in stride(from: 0, to: bytes.count, by: 2 << 20) {
                client.send(Array(bytes[start..<start + (2 << 20)]))
                bed.front.settle()
                // At the beginning, and every ten milliseconds from then on.
                #expect(bed.count(.linkInfo) == 1 + start >> 21 + (start == 10 << 20 ? 1 : 0))
                bed.front.pass(milliseconds: 10)
            }
            #expect(client.responses.last?.status == 201)
            #expect(bed.get(client, "large")?.body.count == 12 << 20)
            #expect(bed.count(.linkInfo) == 9)
            // From a slow disk.
            bed.front.diskTime = { _ in 4_000_000 }
            #expect(bed.get(client, "large")?.body.count == 12 << 20)
            bed.front.diskTime = { _ in 0 }
            #expect(bed.count(.linkInfo) >= 13)
            let samples = bed.links.samples
            #expect(samples == bed.count(.linkInfo) && bed.links.samplesPartial == 0)
            // The first interval shows a rate, the next that it does not grow any more.
            for _ in 0..<2 {
                bed.front.pass(seconds: 1)
                #expect(bed.get(client, "large")?.body.count == 12 << 20)
            }
            #expect(bed.front.on { $0.linkClass(0) } == .lan)
            for direction in LinkDirection.allCases {
                let estimate = bed.front.on { $0.linkEstimate(0, direction) }
                #expect(estimate.roundTripNanoseconds == 100_000)
            }
            #expect(bed.front.on { $0.linkEstimate(0, .download).bytesPerSecond } != nil)
            bed.leave(client)
        }
    }

    @Test func `is not taken for slow by rests between short transfers`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            // At the end of each a mebibyte more than at its beginning.
            client.linkInfo = { KernelLink(receivedBytes: (UInt64($0 + 1) / 2) << 20).bytes }
            for number in 0..<20 {
                try bed.put(client, "o\(number)", noise(1 << 20, seed: 1))
                bed.front.pass(milliseconds: 100)
            }
            #expect(bed.links.samples == 40)
            #expect(bed.front.on { $0.linkEstimate(0, .upload).bytesPerSecond } == nil)
            #expect(bed.front.on { $0.linkClass(0) } == .lan)
            bed.leave(client)
        }
    }

    @Test func `of a small transfer is nobody's business`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            for count in [0, 1000, 65_536, 100_000, (256 << 10) - 1] {
                try bed.put(client, "o\(count)", noise(count, seed: 2))
                for _ in 0..<2 { #expect(bed.get(client, "o\(count)")?.body.count == count) }
            }
            // Of a large object a small part.
            bed.leave(client)
            #expect(bed.count(.linkInfo) == 0)
            #expect(bed.front.on { $0.connections[0].link } == 0)
            try bed.put("large", noise(1 << 20, seed: 3))
            let asked = bed.count(.linkInfo)
            #expect(asked == 2)
            #expect(bed.get("large", 5...200_000) == 206)
            #expect(bed.count(.linkInfo) == asked)
        }
    }

    @Test func `is not asked for where nobody wants to know`() throws {
        try withLinks({ $0.estimatesLinks = false }) { bed, _ in
            let client = bed.front.connect()
            try bed.put(client, "large", noise(5 << 20, seed: 1))
            #expect(bed.get(client, "large")?.body.count == 5 << 20)
            #expect(bed.count(.linkInfo) == 0 && bed.count(.tune) == 0)
            #expect(bed.front.on { $0.linkClass(0) } == .unknown)
            // What hints say is known all the same, and what breaks is counted.
            let hinted = bed.get(client, "large", "RTT: 300\r\nDownlink: 1\r\n")
            #expect(hinted?.status == 200)
            #expect(bed.front.on { $0.linkClass(0) } == .mobile)
            #expect(bed.page().contains("network_reliability_ratio{class=\"mobile\""))
            bed.leave(client)
        }
    }

    @Test func `has no class where none is wanted`() throws {
        try withLinks({ $0.detectsLinkClass = false }) { bed, _ in
            let client = bed.front.connect()
            client.linkInfo = { _ in slowLink.bytes }
            try bed.put(client, "large", noise(5 << 20, seed: 1))
            #expect(bed.get(client, "large", "ECT: 2g\r\nRTT: x\r\n")?.status == 200)
            #expect(bed.count(.linkInfo) > 0 && bed.count(.tune) == 0)
            #expect(bed.front.on { $0.linkClass(0) } == .unknown)
            #expect(bed.links.hintsIgnored == 0)
            client.forgetOutput()
            client.send("OPTIONS /x HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            #expect(client.finalResponse?.field("accept-ch") == nil)
            bed.leave(client)
        }
    }

    @Test func `that the kernel does not tell of is left alone, and said once`() throws {
        for error in [KernelError(code: 107), .notSupported, .io] {
            try withLinks { bed, remarks in
                let client = bed.front.connect()
                bed.front.plan.strike(.linkInfo, number: 1, with: .error(error))
                try bed.put(client, "large", noise(12 << 20, seed: 1))
                #expect(bed.count(.linkInfo) == 1, "it was asked again")
                #expect(bed.links.sampleErrors == 1 && bed.links.samples == 0)
                bed.front.plan.strike(.linkInfo, number: 1, with: .error(error))
                try bed.put("other", noise(1 << 20, seed: 2))
                #expect(bed.links.sampleErrors == 2)
                #expect(remarks.all.count == 1 && remarks.all[0].contains("\(error.code)"))
                #expect(bed.get(client, "large")?.body.count == 12 << 20)
                bed.leave(client)
            }
        }
    }

    @Test func `is estimated by as much as the kernel tells`() throws {
        for count in [1, 8, 72, 120, 136, 152, 230] {
            try withLinks { bed, remarks in
                let client = bed.front.connect()
                client.linkInfo = { _ in KernelLink(byteCount: count).bytes }
                try bed.put(client, "large", noise(5 << 20, seed: 1))
                #expect(bed.get(client, "large")?.body.count == 5 << 20)
                #expect(bed.links.samples == 4)
                #expect(bed.links.samplesPartial == (count >= 230 ? 0 : count >= 152 ? 2 : 4))
                #expect(remarks.all.count == (count >= 230 ? 0 : 1))
                bed.leave(client)
            }
        }
    }

    @Test func `is not sampled where memory is short`() throws {
        try withLinks { bed, _ in
            let client = bed.front.connect()
            try bed.put(client, "large", noise(6 << 20, seed: 1))
            #expect(bed.get(client, "large")?.body.count == 6 << 20)
            let asked = bed.count(.linkInfo)
            client.forgetOutput()
            client.holdsSends = true
            client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.settle()
            #expect(bed.count(.linkInfo) == asked + 1)
            // The head has gone, with what it lay in.
            bed.front.release(client)
            // The front has not a byte left when the answer goes on.
            let taken = bed.front.on { core -> [Region] in
                var taken: [Region] = []
                while let lease = core.front.lease(1024) { taken.append(lease.detach()) }
                return taken
            }
            bed.front.pass(seconds: 1)
            bed.front.resume(client)
            #expect(client.finalResponse?.body.count == 6 << 20)
            #expect(bed.count(.linkInfo) == asked + 1)
            bed.front.giveBack(taken)
            bed.leave(client)
        }
    }
}

/// 4 Mbit/s over 80 ms.
private let slowLink = KernelLink(
    roundTripMicroseconds: 80_000, deliveryBytesPerSecond: 500_000)

@Suite struct `A slow link` {
    /// A client that has downloaded for some seconds.
    private func connected(_ bed: StoredBed) throws -> Client {
        try bed.put("large", noise(8 << 20, seed: 4))
        let client = bed.front.connect()
        client.linkInfo = { _ in slowLink.bytes }
        #expect(bed.get(client, "large")?.body.count == 8 << 20)
        // Each time the kernel tells of one more round trip.
        for _ in 0..<5 {
            bed.front.pass(seconds: 1)
            #expect(bed.get(client, "large")?.body.count == 8 << 20)
        }
        #expect(bed.front.on { $0.linkClass(0) } == .broadband)
        return client
    }

    @Test func `has a short send window, told once`() throws {
        try withLinks { bed, _ in
            let client = try connected(bed)
            #expect(client.options == [.unsentBytesMax(128 << 10)])
            #expect(bed.links.count(.sendWindow, .slow) == 1)
            for _ in 0..<3 { _ = bed.get(client, "large") }
            #expect(client.options.count == 1)
            // What becomes fast gets back what it had, after a while.
            client.linkInfo = { _ in
                KernelLink(roundTripMicroseconds: 10_000, deliveryBytesPerSecond: 1 << 30).bytes
            }
            _ = bed.get(client, "large")
            #expect(client.options.count == 1)
            for _ in 0..<5 {
                bed.front.pass(seconds: 11)
                _ = bed.get(client, "large")
            }
            #expect(client.options == [.unsentBytesMax(128 << 10), .unsentBytesMax(0)])
            #expect(bed.links.count(.sendWindow, .restored) == 1)
            #expect(bed.front.on { $0.linkClass(0) } == .fibre)
            bed.leave(client)
        }
    }

    @Test func `is left alone where nobody wants it otherwise`() throws {
        try withLinks({ $0.adaptsQuality = false }) { bed, _ in
            let client = try connected(bed)
            #expect(client.options.isEmpty && bed.count(.tune) == 0)
            #expect(bed.front.on { $0.downloadPace(0).bufferBytes } == 256 << 10)
            bed.leave(client)
        }
    }

    @Test func `begins its downloads with small buffers`() throws {
        try withLinks { bed, _ in
            let client = try connected(bed)
            // A tenth of a second are 50,000 bytes; a checksum covers 64 KiB.
            var pace = bed.front.on { $0.downloadPace(0) }
            #expect(pace.bufferBytes == 64 << 10)
            for _ in 0..<9 { pace.moved(nanoseconds: 1) }
            #expect(pace.bufferBytes == 256 << 10)
            bed.leave(client)
        }
    }

    @Test func `is paced, and controlled, where an operator wants it`() throws {
        var choices = LinkTuning.Choices()
        choices.paces = true
        choices.congestionControls = [.reno, .bbr]
        choices.systemControl = .reno
        try withLinks({ $0.tuningChoices = choices }) { bed, _ in
            let client = try connected(bed)
            #expect(client.options.last == .pacing(bytesPerSecond: 1_000_000))
            // What grows is not held to what it was.
            client.options = []
            client.linkInfo = { _ in
                KernelLink(roundTripMicroseconds: 80_000, deliveryBytesPerSecond: 2_000_000).bytes
            }
            for _ in 0..<6 {
                bed.front.pass(seconds: 1)
                _ = bed.get(client, "large")
            }
            #expect(
                client.options == [
                    .unsentBytesMax(400_000), .pacing(bytesPerSecond: nil),
                    .pacing(bytesPerSecond: 4_000_000),
                ])
            bed.leave(client)
            let mobile = bed.front.connect()
            mobile.linkInfo = { _ in
                KernelLink(roundTripMicroseconds: 200_000, deliveryBytesPerSecond: 500_000).bytes
            }
            for _ in 0..<6 {
                _ = bed.get(mobile, "large")
                bed.front.pass(seconds: 1)
            }
            #expect(
                mobile.options == [.unsentBytesMax(128 << 10), .congestionControl(.bbr)],
                "bbr paces by itself")
            #expect(bed.links.count(.congestionControl, .lossy) == 1)
            #expect(bed.links.count(.pacing, .slow) == 2)
            #expect(bed.links.count(.pacing, .restored) == 1)
            bed.leave(mobile)
        }
    }

    @Test func `that the kernel does not tune is served all the same`() throws {
        try withLinks { bed, remarks in
            bed.front.plan.strike(.tune, number: 1, with: .error(.notPermitted))
            let client = try connected(bed)
            #expect(bed.links.count(.sendWindow, .refused) == 1)
            #expect(bed.links.count(.sendWindow, .slow) == 0)
            #expect(remarks.all.count == 1 && remarks.all[0].contains("send_window"))
            _ = bed.get(client, "large")
            #expect(client.options.count == 1)
            bed.leave(client)
        }
    }
}

@Suite struct `A broken transfer` {
    @Test func `counts, whichever way it went`() throws {
        try withLinks { bed, _ in
            try bed.put("large", noise(2 << 20, seed: 5))
            #expect(bed.links.failures(.upload) == 0)
            let uploader = bed.front.connect()
            uploader.send(try bed.signed("other", 2 << 20))
            bed.front.settle()
            uploader.send(noise(1 << 20, seed: 6))
            bed.front.pass(seconds: 2)
            uploader.endSending()
            bed.front.settle()
            #expect(bed.links.failures(.upload) == 1)
            #expect(bed.links.seconds(.upload) == 2)
            let reader = bed.front.connect()
            reader.holdsSends = true
            reader.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.pass(seconds: 1)
            reader.holdsSends = false
            bed.front.resume(reader)
            #expect(bed.links.failures(.download) == 0)
            bed.leave(reader)
            let gone = bed.front.connect()
            gone.holdsSends = true
            gone.room = 600_000
            gone.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            bed.front.pass(seconds: 1)
            bed.front.reset(gone)
            bed.front.pass(seconds: 1)
            #expect(bed.links.failures(.download) == 1)
            let page = bed.page()
            #expect(page.contains("millrace_link_failures_total{direction=\"upload\"} 1\n"))
            #expect(page.contains("millrace_link_failures_total{direction=\"download\"} 1\n"))
        }
    }

    @Test func `is not the client's link's fault if the disk breaks`() throws {
        try withLinks { bed, _ in
            try bed.put("large", noise(8 << 20, seed: 5))
            bed.front.plan.strike(.read, number: 4, with: .error(.io))
            _ = bed.exchange("GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(bed.front.plan.hasStruck)
            #expect(bed.links.failures(.download) == 0)
        }
    }
}
