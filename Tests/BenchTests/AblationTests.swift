// Goal:   Millrace is set against itself in rows that there are, one part off at a time, and the
//         result says which.

import BenchMeasure
import Foundation
import Testing

@Suite struct `Ablations` {
    @Test func `have names of their own, a switch each, and rows that there are`() {
        #expect(Set(Ablation.all.map(\.name)).count == Ablation.all.count)
        for ablation in Ablation.all {
            #expect(!ablation.configuration.isEmpty || ablation.lockedMemoryMax != nil)
            #expect(!ablation.rowNames.isEmpty)
            for name in ablation.rowNames {
                #expect(Row.all.contains { $0.name == name }, "\(name)")
            }
            // The bench writes these sections itself; TOML takes each once.
            for line in ablation.configuration {
                let section = line.prefix { $0 != "." }
                #expect(!["metrics", "security", "uploads", "limits"].contains(section))
                #expect(line.contains(" = "))
            }
        }
    }

    @Test func `make a row of each part and each of its rows, for Millrace alone`() throws {
        let options = try Options(["--ablation"])
        #expect(options.sides == [.millrace, .reduced])
        #expect(options.rows.count == Ablation.all.map(\.rowNames.count).reduce(0, +))
        #expect(Set(options.rows.map(\.name)).count == options.rows.count)
        for row in options.rows {
            #expect(Side.allCases.filter(row.takes) == [.millrace, .reduced])
            #expect(row.goals.isEmpty && row.ablation != nil)
        }
        // One server without a part runs at a time: its rows stand together.
        let parts = options.rows.compactMap(\.ablation?.name)
        let changes = zip(parts, parts.dropFirst()).count { $0 != $1 }
        #expect(changes == Set(parts).count - 1)
        #expect(Row.all.allSatisfy { !$0.takes(.reduced) && $0.ablation == nil })
    }

    @Test func `take of the rows named those that they have`() throws {
        let options = try Options(["--rows", "get-1k,get-1m", "--ablation"])
        #expect(options.rows.map(\.name) == ["get-1k-without-hot-cache"])
        #expect(options.rows[0].title.hasSuffix(", without hot-cache"))
    }

    @Test func `give up the right to lock memory only where there is one`() throws {
        let ablation = try #require(Ablation.all.first { $0.lockedMemoryMax != nil })
        #expect(ablation.prefix(isRoot: false) == ["prlimit", "--memlock=1048576:1048576"])
        #expect(ablation.prefix(isRoot: true).contains("--bounding-set=-ipc_lock"))
        let other = try #require(Ablation.all.first { $0.lockedMemoryMax == nil })
        #expect(other.prefix(isRoot: true).isEmpty)
    }

    @Test func `are compared in the result, which says what was missing`() throws {
        let row = try #require(try Options(["--ablation"]).rows.first)
        let samples = (0..<3).flatMap { pair in
            [(Side.millrace, 1.0), (.reduced, 4)].map { side, cpu in
                var sample = Sample(
                    unit: row.unit, side: side, pair: pair, objectCount: 10, byteCount: 10_240,
                    seconds: 1)
                sample.serverCPU = cpu
                return sample
            }
        }
        let result = RowResult(row: row, bytesPerObject: 1_024, samples: samples, seed: 1)
        #expect(result.ratio(.cpu, to: .reduced)?.ratio.median == 0.25)
        let json = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
        #expect(json.contains("\"without\":\"hot-cache\""))
    }
}
