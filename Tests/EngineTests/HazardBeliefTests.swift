// Goal:   what is believed of a link's hazard is what Bayes' rule says, and takes anything.
// Method: the same by sums written out for one slope; links of one hazard; figures that cannot be.

import Foundation
import Testing

@testable import Engine

@Suite struct `A belief in a hazard` {
    private static let mean = 1.0 / 60

    @Test func `begins as a link is in the long run`() {
        let belief = HazardBelief().after(0, mean: Self.mean)
        #expect(belief.isSound && (belief.weights.sum() - 1).magnitude < 1e-5)
        let expected = belief.failuresPerSecond(quality: 0)
        #expect(expected > Self.mean / 3 && expected < Self.mean * 3, "\(expected)")
        // A better link breaks less, a worse one more.
        #expect(belief.failuresPerSecond(quality: 1) < expected)
        #expect(belief.failuresPerSecond(quality: -1) > expected)
    }

    /// Quality 0, where slopes make no difference.
    @Test func `is Bayes' rule over eight hazards`() {
        let hazards = (0..<8).map { exp2(Double($0) * 10 / 7 - 12) }
        let raw = hazards.map { $0.squareRoot() * exp(-0.5 * $0 / Self.mean) }
        let longRun = raw.map { $0 / raw.reduce(0, +) }
        var expected = longRun
        var belief = HazardBelief()
        for (failures, seconds, pause) in [(0.0, 30.0, 0.0), (1, 4, 10), (1, 9, 1), (0, 50, 50)] {
            belief = belief.after(pause, mean: Self.mean)
            belief.observe(LinkHazard(failures: failures, seconds: seconds), quality: 0)
            let stays = exp(-pause / 100)
            expected = zip(expected, longRun).map { stays * $0 + (1 - stays) * $1 }
            expected = zip(expected, hazards).map { $0 * pow($1, failures) * exp(-$1 * seconds) }
            let sum = expected.reduce(0, +)
            expected = expected.map { $0 / sum }
            let mean = zip(expected, hazards).map { $0 * $1 }.reduce(0, +)
            let found = belief.failuresPerSecond(quality: 0)
            #expect((found / mean - 1).magnitude < 1e-3, "\(found) \(mean)")
        }
    }

    @Test(arguments: [1.0 / 600, 1.0 / 60, 1.0 / 10])
    func `comes near to the hazard of a link that has one`(hazard: Double) {
        var random = Numbers(state: 5)
        var belief = HazardBelief()
        var (sum, count) = (0.0, 0.0)
        for step in 0..<4000 {
            belief = belief.after(5, mean: hazard)
            let fails = Double.random(in: 0..<1, using: &random) < -expm1(-hazard * 5)
            belief.observe(LinkHazard(failures: fails ? 1 : 0, seconds: 5), quality: 0)
            guard step > 100 else { continue }
            sum += belief.failuresPerSecond(quality: 0)
            count += 1
        }
        #expect(sum / count > hazard / 1.7 && sum / count < hazard * 1.7, "\(sum / count)")
    }

    @Test func `learns whether weakness matters`() {
        for matters in [true, false] {
            var belief = HazardBelief()
            var random = Numbers(state: 9)
            for step in 0..<2000 {
                let quality = step / 20 % 2 == 0 ? 1.0 : -1.0
                let hazard = matters ? 0.02 * exp(-1.5 * quality) : 0.04
                let fails = Double.random(in: 0..<1, using: &random) < -expm1(-hazard * 5)
                belief = belief.after(5, mean: 0.04)
                belief.observe(LinkHazard(failures: fails ? 1 : 0, seconds: 5), quality: quality)
            }
            let (weak, strong) =
                (belief.failuresPerSecond(quality: -1), belief.failuresPerSecond(quality: 1))
            #expect(
                matters ? weak > 6 * strong : weak < 3 * strong, "\(matters): \(weak) \(strong)")
        }
    }

    @Test func `takes any figures, and stays what can be believed`() {
        let odd = [Double.nan, -1, -.infinity, .infinity, 0, 1e-300, 1e12, 1e300, 1]
        var belief = HazardBelief()
        for mean in [1e-300, 1e-9, 1, 1e12] {
            for failures in odd {
                for seconds in odd {
                    for quality in [-2.0, 0, 2] {
                        belief = belief.after(abs(seconds) < 1e13 ? abs(seconds) : 0, mean: mean)
                        belief.observe(
                            LinkHazard(failures: failures, seconds: seconds), quality: quality)
                        let found = belief.failuresPerSecond(quality: quality)
                        #expect(belief.isSound, "\(mean) \(failures) \(seconds)")
                        #expect(found > 0 && found <= HazardBelief.hazardMost)
                    }
                }
            }
        }
    }
}
