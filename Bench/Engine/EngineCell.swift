// What is asked of both sides, and how far apart they may be.

public import BenchMeasure

/// One question to both sides: so many blocks of one size in flight, read or overwritten at random
/// offsets.
public struct EngineCell: Equatable, Sendable, Codable {
    public enum Direction: String, CaseIterable, Sendable, Codable { case read, write }

    public let direction: Direction
    public let blockBytes: Int
    public let depth: Int

    public init(_ direction: Direction, blockBytes: Int, depth: Int) {
        precondition(blockBytes.isMultiple(of: 4 << 10) && depth > 0, "what a disk can do")
        (self.direction, self.blockBytes, self.depth) = (direction, blockBytes, depth)
    }

    static let blockSizes = [4 << 10, 64 << 10, 1 << 20]
    static let depths = [1, 4, 16, 64]

    /// In the order of a whole run.
    public static let all = Direction.allCases.flatMap { direction in
        blockSizes.flatMap { bytes in
            depths.map { EngineCell(direction, blockBytes: bytes, depth: $0) }
        }
    }

    /// Such as `read-4k-qd16`.
    public var name: String {
        let size = blockBytes < 1 << 20 ? "\(blockBytes >> 10)k" : "\(blockBytes >> 20)m"
        return "\(direction.rawValue)-\(size)-qd\(depth)"
    }

    /// Of Millrace to fio.
    public static let cpuGoal = Goal.atMost(1.1)
    public static let throughputGoal = Goal.atLeast(0.95)
}
