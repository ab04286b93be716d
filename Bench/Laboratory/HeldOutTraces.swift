// Links that change, and that no algorithm was tuned on: they are only for final tables.
//
// Written down before the first of them was played. What stands behind them:
//
// - roof: Starlink under a clear sky: slots of 15 s, 5 to 20 Mbit/s upwards, 25 to 60 ms (G.
//   Huston, NANOG 92; Asad Ullah et al., Starlink in Northern Europe, arXiv:2502.15552).
// - airliner: air-to-ground LTE: 300 kbit/s upwards for a cabin, losses of percents (AppNeta on
//   Gogo), cells of a hundred kilometres, each for some minutes.
// - trawler: a stabilized antenna that a mast stands before on some courses; the modem holds on to
//   a link that is of no use until a time-out (Cobham, SAILOR 900 VSAT manual, app. C).
// - hut: far 3G in mountains, full when the day's walkers are back; latencies as of rural cells
//   (Koradia et al., DEV-4, 2013).
// - suburban: a commuter train: good in stations, weaker between them, cuttings and short tunnels
//   (Xiao et al., TCP performance over mobile networks in high-speed mobility scenarios, ICNP 2014,
//   for how rates and round trips spread along lines).
// - flats: Wi-Fi on a crowded channel, DSL behind it: near, and rarely broken.
// - street: 5G while walking: fast where the mast is seen, LTE around corners.
// - farm: a fixed LTE router at its cell's edge, in gusts and thunderstorms.
// No measurement stands behind the figures of flats, street and farm.

extension LinkTrace {
    public static let heldOut = [roof, airliner, trawler, hut, suburban, flats, street, farm]

    static let roof = LinkTrace(
        "roof", "low orbit under a clear sky: slots of 15 s, hardly a break"
    ) { trace in
        trace.add(
            14.8, rate: trace.draws.between(0.6, 2.5), roundTrip: trace.draws.between(25, 60),
            failing: 1200)
        trace.outage(trace.draws.between(0.05, 0.6), breaks: trace.draws.happens(0.01))
    }

    static let airliner = LinkTrace(
        "airliner", "air-to-ground LTE: cells of minutes, weak towards their edges"
    ) { trace in
        let best = trace.draws.between(0.08, 0.4)
        trace.slope(60, from: best / 4, to: best, count: 6, roundTrip: 260, failing: 60)
        trace.add(
            trace.draws.between(60, 300), rate: best, roundTrip: 150, failing: 600, loss: 0.01)
        trace.slope(60, from: best, to: best / 4, count: 6, roundTrip: 280, failing: 40)
        trace.outage(trace.draws.between(0.5, 14), breaks: trace.draws.happens(0.6))
    }

    static let trawler = LinkTrace(
        "trawler", "a geostationary satellite, with a mast before it on some courses"
    ) { trace in
        trace.add(
            trace.draws.between(150, 600), rate: trace.draws.between(0.1, 0.35),
            roundTrip: trace.draws.between(590, 680), failing: 1000)
        for _ in 0..<Int(trace.draws.between(1, 4)) {
            trace.add(
                trace.draws.between(10, 60), rate: trace.draws.between(0.03, 0.15),
                roundTrip: trace.draws.between(620, 900), failing: trace.draws.between(10, 60))
            trace.outage(trace.draws.between(1, 25))
        }
    }

    static let hut = LinkTrace(
        "hut", "far 3G in the mountains, that fills up and empties again"
    ) { trace in
        trace.slope(
            trace.draws.between(150, 400), from: 0.3, to: 0.08, count: 8, roundTrip: 220,
            failing: 240)
        trace.add(
            trace.draws.between(60, 240), rate: trace.draws.between(0.05, 0.1),
            roundTrip: trace.draws.between(300, 600), failing: trace.draws.between(20, 60))
        trace.slope(
            trace.draws.between(100, 300), from: 0.1, to: 0.3, count: 8, roundTrip: 200,
            failing: 300)
    }

    static let suburban = LinkTrace(
        "suburban", "a commuter train: stations, open line, cuttings and short tunnels"
    ) { trace in
        trace.add(
            trace.draws.between(25, 60), rate: trace.draws.between(1.5, 5), roundTrip: 45,
            failing: 700)
        for _ in 0..<Int(trace.draws.between(1, 4)) {
            trace.add(
                trace.draws.between(20, 70), rate: trace.draws.between(0.4, 2),
                roundTrip: trace.draws.between(55, 110), failing: trace.draws.between(60, 400))
            if trace.draws.happens(0.5) {
                trace.add(
                    trace.draws.between(5, 15), rate: 0.2, roundTrip: 160, failing: 15)
                trace.outage(trace.draws.between(1, 12), breaks: trace.draws.happens(0.2))
            }
        }
    }

    static let flats = LinkTrace(
        "flats", "Wi-Fi on a channel that everybody has, with DSL behind it"
    ) { trace in
        for _ in 0..<12 {
            trace.add(
                trace.draws.between(10, 60), rate: trace.draws.between(0.4, 1.25),
                roundTrip: trace.draws.between(18, 60), failing: trace.draws.between(300, 3000),
                loss: 0.001)
        }
        trace.outage(trace.draws.between(0.5, 5), breaks: trace.draws.happens(0.5))
    }

    static let street = LinkTrace(
        "street", "5G on foot: very fast in sight of the mast, LTE around the corner"
    ) { trace in
        trace.add(
            trace.draws.between(20, 120), rate: trace.draws.between(6, 15), roundTrip: 18,
            failing: 500)
        trace.add(4, rate: 0.8, roundTrip: 70, failing: 12)
        trace.add(
            trace.draws.between(30, 180), rate: trace.draws.between(0.7, 3),
            roundTrip: trace.draws.between(40, 80), failing: 200,
            breaks: trace.draws.happens(0.3))
    }

    static let farm = LinkTrace(
        "farm", "an LTE router at the edge of its cell, calm weather and gusts"
    ) { trace in
        trace.add(
            trace.draws.between(120, 500), rate: trace.draws.between(0.4, 1),
            roundTrip: trace.draws.between(55, 90), failing: 900)
        trace.add(
            trace.draws.between(60, 250), rate: trace.draws.between(0.12, 0.5),
            roundTrip: trace.draws.between(90, 240), failing: trace.draws.between(15, 80),
            loss: 0.005)
    }
}
