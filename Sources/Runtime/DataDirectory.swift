/// The data directory of this process: open, locked, with its identity.

import CMachine
import Configuration
import IO
import Store

struct DataDirectory {
    let path: String
    let directory: Descriptor
    /// What the volumes took when the process started.
    let bytesInVolumes: Int
    let identity: InstanceIdentity

    static func open(_ path: String) throws(ServeError) -> DataDirectory {
        let directory = try check(unsafe cmachine_open_directory(path), path)
        let lock = unsafe cmachine_lock_file(path + "/lock")
        if KernelError(result: lock) == .wouldBlock {
            throw ServeError("\(path) is in use by another millrace process", isInUse: true)
        }
        // Kept open until the process ends, which is what the lock lives by.
        _ = try check(lock, path + "/lock")
        _ = try check(unsafe cmachine_open_directory(path + "/volumes"), path + "/volumes")
        _ = try check(unsafe cmachine_open_directory(path + "/catalog"), path + "/catalog")
        try requireDirectAccess(path)
        let stored = unsafe cmachine_bytes_in_directory(path + "/volumes")
        guard stored >= 0 else {
            throw ServeError("\(path)/volumes cannot be read: errno \(-stored)")
        }
        do {
            let kept = try InstanceIdentity.load(from: path)
            guard kept != nil || stored == 0 else {
                throw ServeError(
                    "\(path)/instance is missing, but there are volumes: they cannot be read"
                        + " without it; restore it from the backup")
            }
            return DataDirectory(
                path: path, directory: Descriptor(directory), bytesInVolumes: Int(stored),
                identity: try kept ?? InstanceIdentity.loadOrMake(in: path))
        } catch let error as ServeError {
            throw error
        } catch {
            throw ServeError("\(error)")
        }
    }

    /// Before anything is stored: an empty store opens no volume that would tell.
    private static func requireDirectAccess(_ path: String) throws(ServeError) {
        let status = unsafe cmachine_try_direct_access(path + "/volumes/direct-access")
        if KernelError(result: status) == .invalid {
            throw ServeError("\(StoreError.noDirectAccess(path: path))")
        }
        _ = try check(status, path + "/volumes")
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
