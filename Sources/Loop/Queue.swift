/// First in, first out, over one array that grows by doubling and is never given back: after the
/// first busy second it allocates no more.
public struct Queue<Element> {
    private var storage: [Element?] = Array(repeating: nil, count: 64)
    private var head = 0
    private var count = 0

    public init() {}

    public var isEmpty: Bool { count == 0 }

    @inline(__always)
    public mutating func push(_ element: Element) {
        if count == storage.count { grow() }
        storage[(head &+ count) & (storage.count &- 1)] = element
        count &+= 1
    }

    @inline(__always)
    public mutating func pop() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head].take()
        head = (head &+ 1) & (storage.count &- 1)
        count &-= 1
        return element
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(storage.count * 2)
        for offset in 0..<count { larger.append(storage[(head + offset) & (storage.count - 1)]) }
        larger.append(contentsOf: repeatElement(nil, count: storage.count * 2 - count))
        storage = larger
        head = 0
    }
}
