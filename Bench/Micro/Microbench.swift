/// One small question: what does this piece of the product cost, each time?

import CCount
import IO
import Uring

public struct Microbench: Sendable {
    public let name: String
    /// What one iteration is, for the table.
    let what: String
    /// As many iterations are run to warm up, and then as many have their allocations counted.
    let countedIterations: Int
    /// More than these are never run in one go.
    let iterationsMax: Int
    let make: @Sendable (MicroPlace) throws -> Work

    init(
        _ name: String, _ what: String, counted: Int = 1_000, max: Int = 1 << 24,
        make: @escaping @Sendable (MicroPlace) throws -> Work
    ) {
        (self.name, self.what) = (name, what)
        (countedIterations, iterationsMax) = (counted, max)
        self.make = make
    }
}

/// Where benches that need a disk have it, and how much trouble they take.
public struct MicroPlace: Sendable {
    let directory: String
    /// Small set-ups do: nothing is timed, or nobody keeps the figures.
    let isQuick: Bool
}

/// What a bench has set up.
struct Work {
    /// Makes what the next `run` of as many iterations uses up; neither timed nor counted.
    var prepare: (Int) throws -> Void = { _ in }
    /// Does it so many times.
    let run: (Int) -> Void
}

/// Gives closures a value that cannot be copied.
final class Owned<Value: ~Copyable> {
    private var value: Value

    init(_ value: consuming Value) { self.value = value }

    func change(_ body: (inout Value) -> Void) { body(&value) }
}

/// Uses `value`, so that what made it is not left out by the compiler.
@inline(__always)
func keep(_ value: Int) { ccount_keep(UInt64(truncatingIfNeeded: value)) }

/// Memory for a piece that works in an arena; never unmapped.
func makeArena(_ byteCount: Int) throws(KernelError) -> Arena {
    try unsafe ArenaMemory.map(count: byteCount)
}

/// Why there is no result.
public struct MicroError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
