// Links that change, as measurements tell of them: the third set that algorithms were tuned on.
//
// - rail: Wang et al., An active-passive measurement study of TCP performance over LTE on
//   high-speed rails, MobiCom 2019; Xu et al., A first look at disconnection-centric TCP
//   performance on high-speed railways, JSAC 38(12), 2020: a handover every ten seconds or so,
//   some of which fail.
// - cabin: round trips of 650 to 810 ms, 0.5 Mbit/s upwards at first and a few Mbit/s since, losses
//   of percents (Rula et al., Mile high WiFi, WWW 2018; W. Shen on Delta's link over the Atlantic,
//   wirelessmoves.com, May 2024).
// - canopy: slots of 15 s, and satellites that a terminal loses behind obstructions in their midst
//   (Zhao et al., Demystifying Starlink network performance under vehicular mobility,
//   arXiv:2601.13790; G. Huston, Measuring Starlink protocol performance, NANOG 92).
// - valley, village: latencies of hundreds of milliseconds and stalls (Koradia et al., First
//   impressions on the state of cellular data connectivity in India, DEV-4, 2013).
// - rain: showers cost a Ka-band link up to 15 dB, which it pays for in rate (ITU-R P.618).
// - drive, roaming, coast: no measurement stands behind their figures, only what such links are
//   known for.

extension LinkTrace {
    static let measured = [rail, cabin, coast, valley, canopy, rain, drive, roaming, village]

    static let rail = LinkTrace(
        "rail", "a high-speed train: another cell every 8 to 20 s, well covered and badly"
    ) { trace in
        let isBad = trace.draws.happens(0.4)
        let cells = Int(trace.draws.between(6, 20))
        for _ in 0..<cells {
            let fails = trace.draws.happens(isBad ? 0.25 : 0.03)
            trace.add(
                trace.draws.between(8, 20),
                rate: trace.draws.between(isBad ? 0.1 : 0.6, isBad ? 0.5 : 2),
                roundTrip: trace.draws.between(80, isBad ? 300 : 140), failing: isBad ? 60 : 900)
            trace.outage(trace.draws.between(0.1, fails ? 4 : 0.6), breaks: fails)
        }
    }

    static let cabin = LinkTrace(
        "cabin", "an aircraft's geostationary link: calm air, banks and turbulence, another beam"
    ) { trace in
        for _ in 0..<Int(trace.draws.between(1, 4)) {
            trace.add(
                trace.draws.between(120, 420), rate: trace.draws.between(0.15, 0.5),
                roundTrip: trace.draws.between(650, 800), failing: 700)
            trace.add(
                trace.draws.between(40, 180), rate: trace.draws.between(0.05, 0.25),
                roundTrip: trace.draws.between(750, 1100), failing: trace.draws.between(12, 40),
                loss: 0.01)
        }
        trace.outage(trace.draws.between(4, 40), breaks: true)
    }

    static let coast = LinkTrace(
        "coast", "a ferry that leaves the coast's cells behind and comes to the next ones"
    ) { trace in
        trace.add(trace.draws.between(60, 240), rate: 2.5, roundTrip: 50, failing: 1200)
        trace.slope(240, from: 2.5, to: 0.4, count: 16, roundTrip: 80, failing: 200)
        trace.slope(150, from: 0.4, to: 0.06, count: 12, roundTrip: 220, failing: 30)
        trace.add(trace.draws.between(60, 240), rate: 0.06, roundTrip: 350, failing: 14)
        trace.slope(200, from: 0.06, to: 2.5, count: 12, roundTrip: 120, failing: 60)
    }

    static let valley = LinkTrace(
        "valley", "rural 3G: far cells that are full at times"
    ) { trace in
        trace.add(
            trace.draws.between(90, 300), rate: trace.draws.between(0.15, 0.4),
            roundTrip: trace.draws.between(150, 260), failing: 500)
        trace.add(
            trace.draws.between(60, 200), rate: trace.draws.between(0.05, 0.2),
            roundTrip: trace.draws.between(350, 700), failing: trace.draws.between(15, 50))
    }

    static let canopy = LinkTrace(
        "canopy", "low orbit under trees: slots of 15 s, some satellites stand behind branches"
    ) { trace in
        let share = trace.draws.between(0.1, 0.5)
        for _ in 0..<20 {
            let isHidden = trace.draws.happens(share)
            trace.add(
                isHidden ? 11 : 14.7,
                rate: trace.draws.between(isHidden ? 0.2 : 1, isHidden ? 0.8 : 2.5),
                roundTrip: trace.draws.between(30, isHidden ? 110 : 60),
                failing: isHidden ? 20 : 900)
            trace.outage(isHidden ? 4 : 0.3)
        }
    }

    static let rain = LinkTrace(
        "rain", "a household's geostationary satellite in showers"
    ) { trace in
        trace.add(trace.draws.between(150, 500), rate: 0.4, roundTrip: 600, failing: 1500)
        let depth = trace.draws.between(0.05, 0.2)
        trace.slope(90, from: 0.4, to: depth, count: 6, roundTrip: 620, failing: 60)
        trace.add(trace.draws.between(60, 240), rate: depth, roundTrip: 700, failing: 18)
        trace.slope(120, from: depth, to: 0.4, count: 6, roundTrip: 620, failing: 120)
    }

    static let drive = LinkTrace(
        "drive", "a car in town: cells come and go, queues stand in them"
    ) { trace in
        for _ in 0..<8 {
            let load = trace.draws.share()
            trace.add(
                trace.draws.between(15, 70), rate: 0.1 + 2.5 * load * load,
                roundTrip: 60 + 400 * (1 - load) * trace.draws.share(),
                failing: load < 0.3 ? 25 : 500, breaks: trace.draws.happens(0.1))
        }
    }

    static let roaming = LinkTrace(
        "roaming", "a tablet carried through halls: Wi-Fi fades before each next access point"
    ) { trace in
        let walk = trace.draws.between(20, 70)
        trace.add(walk, rate: trace.draws.between(2, 8), roundTrip: 12, failing: 2000)
        trace.slope(walk / 3, from: 2, to: 0.15, count: 5, roundTrip: 60, failing: 40)
        trace.outage(trace.draws.between(0.2, 3), breaks: trace.draws.happens(0.5))
    }

    static let village = LinkTrace(
        "village", "a shared microwave link to a village: full in the evening, storms at times"
    ) { trace in
        trace.slope(300, from: 0.8, to: 0.15, count: 15, roundTrip: 180, failing: 400)
        if trace.draws.happens(0.5) {
            trace.add(
                trace.draws.between(100, 300), rate: 0.1, roundTrip: 450, failing: 15, loss: 0.01)
        }
        trace.slope(300, from: 0.15, to: 0.8, count: 15, roundTrip: 220, failing: 400)
    }
}
