/// The memory of the load client's ring.

public import IO
import Uring

public enum ClientMemory {
    public static func map(count: Int) throws(KernelError) -> Arena {
        try unsafe ArenaMemory.map(count: count)
    }
}
