// Links that change: those that were held out once, for a table that has been read since.

extension LinkTrace {
    static let second = [metro, bus, ship, hotel, blockage, cable, car]

    static let metro = LinkTrace(
        "metro", "30 s of a good link in each station, a minute of a weak one between them"
    ) { trace in
        trace.add(30, rate: trace.draws.between(2, 4), roundTrip: 35, failing: 400)
        trace.add(
            trace.draws.between(40, 90), rate: trace.draws.between(0.15, 0.4), roundTrip: 140,
            failing: 15)
        if trace.draws.happens(0.3) { trace.outage(trace.draws.between(2, 12)) }
    }

    static let bus = LinkTrace(
        "bus", "another mobile cell every 30 to 80 s, one in three with another address"
    ) { trace in
        trace.add(
            trace.draws.between(30, 80), rate: Draws.root(trace.draws.between(0.02, 16), 2),
            roundTrip: trace.draws.between(40, 110), failing: trace.draws.between(40, 600),
            breaks: trace.draws.happens(0.33))
    }

    static let ship = LinkTrace(
        "ship", "a geostationary satellite, and rain that comes and goes"
    ) { trace in
        trace.add(trace.draws.between(200, 500), rate: 0.6, roundTrip: 620, failing: 900)
        trace.slope(200, from: 0.6, to: 0.12, count: 10, roundTrip: 640, failing: 80)
        trace.add(trace.draws.between(60, 200), rate: 0.12, roundTrip: 660, failing: 25)
        trace.slope(100, from: 0.12, to: 0.6, count: 5, roundTrip: 640, failing: 200)
    }

    static let hotel = LinkTrace(
        "hotel", "Wi-Fi shared with strangers, whose portal cuts everybody off every 5 minutes"
    ) { trace in
        for number in 0..<10 {
            trace.add(
                30, rate: trace.draws.between(0.2, 1.5), roundTrip: trace.draws.between(30, 120),
                failing: trace.draws.between(60, 900), loss: 0.002, breaks: number == 0)
        }
    }

    static let blockage = LinkTrace(
        "blockage", "millimetre waves: very fast, until somebody stands in the way"
    ) { trace in
        trace.add(trace.draws.between(5, 60), rate: 30, roundTrip: 12, failing: 600)
        trace.add(trace.draws.between(3, 30), rate: 1.5, roundTrip: 40, failing: 20)
    }

    static let cable = LinkTrace(
        "cable", "a shared cable with bursts of noise of two minutes"
    ) { trace in
        trace.slope(300, from: 4, to: 2, count: 10, roundTrip: 20, failing: 1800)
        trace.add(
            trace.draws.between(60, 180), rate: 1.5, roundTrip: 60, failing: 10, loss: 0.01)
        trace.slope(200, from: 2, to: 4, count: 10, roundTrip: 20, failing: 1800)
    }

    static let car = LinkTrace(
        "car", "country roads: cells of all kinds, dead spots of 5 to 60 s"
    ) { trace in
        for _ in 0..<4 {
            let rate = Draws.root(trace.draws.between(0.003, 9), 2)
            trace.add(
                trace.draws.between(20, 120), rate: rate, roundTrip: 60 + 60 / (rate + 0.3),
                failing: rate < 0.5 ? 30 : 300)
        }
        trace.outage(trace.draws.between(5, 60), breaks: trace.draws.happens(0.5))
    }
}
