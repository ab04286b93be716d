/// The options that `Operation.tune` sets, as the kernel calls them.

import CUring
import IO

extension Ring {
    static func tune(_ socket: Int32, _ option: SocketOption) -> Int32 {
        switch option {
        case .unsentBytesMax(let count):
            return curing_limit_unsent(socket, count)
        case .pacing(let bytesPerSecond):
            return curing_limit_rate(socket, bytesPerSecond ?? .max)
        case .congestionControl(let algorithm):
            return unsafe algorithm.rawValue.withCString {
                unsafe curing_control_congestion(socket, $0)
            }
        }
    }
}
