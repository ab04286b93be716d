/// Bodies that differ for every object and need not be kept: written and checked from a seed and
/// the object's number.
public struct BodyPattern: Sendable {
    private let seed: UInt64

    public init(seed: UInt64) { self.seed = seed }

    /// Fills `target`, a multiple of 8 bytes, with the body of object `number`.
    public func fill(_ target: inout MutableRawSpan, number: UInt64) {
        precondition(target.byteCount.isMultiple(of: 8), "bodies are whole words")
        var words = words(of: number)
        var offset = 0
        while offset < target.byteCount {
            target.storeBytes(of: words.next().littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
    }

    /// The first `count` bytes, a multiple of 8, of the body of object `number`.
    public func bytes(_ count: Int, number: UInt64) -> [UInt8] {
        precondition(count.isMultiple(of: 8), "bodies are whole words")
        var words = words(of: number)
        return [UInt8](capacity: count) { target in
            for _ in 0..<count / 8 {
                var word = words.next()
                for _ in 0..<8 {
                    target.append(UInt8(truncatingIfNeeded: word))
                    word >>= 8
                }
            }
        }
    }

    /// Whether `body` is, to the last byte, what `fill` writes for object `number`.
    public func matches(_ body: Span<UInt8>, number: UInt64) -> Bool {
        precondition(body.count.isMultiple(of: 8), "bodies are whole words")
        var words = words(of: number)
        var offset = 0
        while offset < body.count {
            var word = words.next()
            for index in offset..<offset + 8 {
                guard body[index] == UInt8(truncatingIfNeeded: word) else { return false }
                word >>= 8
            }
            offset += 8
        }
        return true
    }

    private func words(of number: UInt64) -> SplitMix64 {
        SplitMix64(seed: SplitMix64.mix(seed ^ SplitMix64.mix(number &+ 1)))
    }
}
