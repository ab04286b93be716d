// Goal:   nothing that is done for every request allocates more than it did.
// Method: the bench's own program counts, because it alone has a counting malloc; the limits are
//         those of Bench/Micro/AllocationLimits.swift for this kind of build.

import Testing

@Suite struct `Allocations` {
    @Test func `stay within their limits`() throws {
        let bench = Programs.directory + "/millrace-bench"
        let (status, output) = try Programs.run(bench, ["micro", "--check"], withinSeconds: 300)
        #expect(status == 0, "\(output)")
        // The one that matters most is among those that were checked.
        #expect(output.contains("get-cached-1k: "))
    }

    @Test func `are counted of benches that there are, or it fails`() throws {
        let bench = Programs.directory + "/millrace-bench"
        let (status, output) = try Programs.run(bench, ["micro", "--check", "--filter", "nobody"])
        #expect(status == 1)
        #expect(output.contains("no bench is called nobody"))
    }
}
