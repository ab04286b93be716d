// A core's memory: buffers leased and given back, the hot cache.

import Engine
import IO

extension Microbench {
    static let memory: [Microbench] = [bufferLease, cacheFind, cacheInsert]

    private static let bufferLease = Microbench(
        "buffer-lease", "a buffer of 4 KiB of the pool leased and given back, nothing else free"
    ) { _ in
        var leased = BufferPool(over: Region(offset: 0, count: 4 << 20))
        // Everything taken but every 16th: no buddies to join, as under load.
        var taken: [Region] = []
        while let lease = leased.lease(4 << 10) { taken.append(lease.detach()) }
        for index in stride(from: 0, to: taken.count, by: 16) {
            leased.giveBack(BufferLease(attaching: taken[index]))
        }
        let pool = Owned(leased)
        return Work { count in
            pool.change { pool in
                for _ in 0..<count {
                    guard let lease = pool.lease(4 << 10) else {
                        preconditionFailure("there is a buffer")
                    }
                    keep(Int(lease.region.offset))
                    pool.giveBack(lease)
                }
            }
        }
    }

    private static let names = (0..<8_192).map { Array("get-1k/42/\($0)00000000000000".utf8) }
    private static let facts = HotCache.Facts(sequence: 7, modifiedSeconds: 9, checksum: 1)

    private static func cache() throws -> HotCache {
        let arena = try makeArena(4 << 20)
        return HotCache(over: Region(offset: 0, count: 4 << 20), of: arena, hashKey: 7)
    }

    private static let cacheFind = Microbench(
        "cache-find", "HotCache.find among 1,000 objects of 1 KiB"
    ) { _ in
        var filled = try cache()
        for name in names.prefix(1_000) {
            _ = filled.insert(name.span, facts: facts, fieldCount: 200, bodyCount: 1_024)
        }
        let cache = Owned(filled)
        return Work { count in
            cache.change { cache in
                for index in 0..<count {
                    let name = names[index % 1_000]
                    guard let slot = cache.find(name.span) else {
                        preconditionFailure("the object is there")
                    }
                    keep(Int(slot))
                }
            }
        }
    }

    private static let cacheInsert = Microbench(
        "cache-insert", "HotCache.insert of a new object of 1 KiB, which evicts one (SIEVE)",
        counted: 8_192
    ) { _ in
        let cache = Owned(try cache())
        return Work { count in
            cache.change { cache in
                for index in 0..<count {
                    let (name, other) = (names[index & 8_191], names[index >> 1 & 8_191])
                    // Some are asked for again, so that the hand has something to spare.
                    if index & 3 == 0 { keep(Int(cache.find(other.span) ?? 0)) }
                    let slot = cache.insert(
                        name.span, facts: facts, fieldCount: 200, bodyCount: 1_024)
                    precondition(slot != nil, "something can be evicted")
                }
            }
        }
    }
}
