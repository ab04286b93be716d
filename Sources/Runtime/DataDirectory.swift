/// The data directory of this process: open, locked, with its identity.

import CMachine
import Configuration
import IO

struct DataDirectory {
    let path: String
    let directory: Descriptor
    let identity: InstanceIdentity

    static func open(_ path: String) throws(ServeError) -> DataDirectory {
        let directory = try check(unsafe cmachine_open_directory(path), path)
        let lock = unsafe cmachine_lock_file(path + "/lock")
        if KernelError(result: lock) == .wouldBlock {
            throw ServeError("\(path) is in use by another millrace process")
        }
        // Kept open until the process ends, which is what the lock lives by.
        _ = try check(lock, path + "/lock")
        _ = try check(unsafe cmachine_open_directory(path + "/volumes"), path + "/volumes")
        _ = try check(unsafe cmachine_open_directory(path + "/catalog"), path + "/catalog")
        do {
            return DataDirectory(
                path: path, directory: Descriptor(directory),
                identity: try InstanceIdentity.loadOrMake(in: path))
        } catch {
            throw ServeError("\(error)")
        }
    }

    private static func check(_ status: Int32, _ path: String) throws(ServeError) -> Int32 {
        guard let error = KernelError(result: status) else { return status }
        switch error {
        case .notFound: throw ServeError("\(path): the directory above it does not exist")
        case .notAllowed, .notPermitted: throw ServeError("\(path): permission denied")
        case .noSpace: throw ServeError("\(path): no space left on the device")
        default: throw ServeError("\(path) cannot be opened: errno \(error.code)")
        }
    }
}
