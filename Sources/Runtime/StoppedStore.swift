/// Opens the store of a data directory that no server uses, for as long as a command works on it.
///
///     lock ─▶ one core runs ─▶ recover ─▶ work ─▶ close ─▶ the core stops

public import Configuration
import Uring

public enum StoppedStore {
    /// Whether there is a store that can be opened without making a new one.
    public static func exists(_ settings: Settings) throws(ServeError) -> Bool {
        do throws(SettingsError) {
            return try InstanceIdentity.load(from: settings.storage.path) != nil
        } catch {
            throw ServeError(error.description)
        }
    }

    /// Fails, with `isInUse`, if a server has the data directory. What `work` put is durable and,
    /// unless the journal says otherwise, in the index when this returns.
    public static func with<Answer>(
        _ settings: Settings, _ journal: Journal, _ work: (StoreKeeper) -> Answer
    ) throws(ServeError) -> Answer {
        do { try RingProbe.check() } catch { throw ServeError(error.description) }
        let plan = try MachinePlan(settings, journal, coresMax: 1)
        let directory = try DataDirectory.open(settings.storage.path)
        let setup = StoreStart(settings: settings, directory: directory, journal: journal)
        let threads = try CoreThreads<StoreKeeper>.start(plan, journal) { ground in
            StoreKeeper(loop: ground.loop, memory: ground.memory)
        }
        let keeper = threads.cores[0]
        let opening = keeper.perform { keeper in
            await opened(keeper, setup)
        }
        if let error = opening {
            stop(keeper, threads)
            throw error
        }
        let answer = work(keeper)
        if let reason = keeper.perform({ keeper in await closed(keeper) }) {
            // All the same everything is durable, and the next start finds it.
            journal.error("the index could not be closed cleanly: \(reason)")
        }
        stop(keeper, threads)
        return answer
    }

    private static func opened(
        _ keeper: isolated StoreKeeper, _ setup: StoreStart
    ) async -> ServeError? {
        do throws(ServeError) {
            try await setup.open(keeper)
            return nil
        } catch {
            return error
        }
    }

    /// Why not; nil if it is.
    private static func closed(_ keeper: isolated StoreKeeper) async -> String? {
        do {
            try await keeper.close()
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func stop(
        _ keeper: StoreKeeper, _ threads: consuming CoreThreads<StoreKeeper>
    ) {
        keeper.perform { keeper in keeper.stop() }
        threads.join()
    }
}
