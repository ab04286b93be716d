/// A second thread for a test.

import Glibc
import IO

struct Thread {
    private let handle: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ body: @escaping @Sendable () -> Void) throws -> Thread {
        var handle = pthread_t()
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        guard status == 0 else { throw KernelError(code: status) }
        return Thread(handle: handle)
    }

    func signal(_ number: Int32) { pthread_kill(handle, number) }

    func join() { _ = pthread_join(handle, nil) }
}
