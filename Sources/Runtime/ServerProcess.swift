/// One server from start to stop: threads, listeners, store, signals, drain.
///
///     probe ─▶ plan ─▶ lock ─▶ listen ─▶ cores run ─▶ recover ─▶ serve ─▶ signal ─▶ drain ─▶ stop
///                                                       └────────signal────────▶┘

public import Configuration
import Engine
import Glibc
import HTTP
import IO
import Loop
import Server
import Store
import Synchronization
import Uring

public struct ServerProcess {
    private let settings: Settings
    private let secrets: Secrets
    private let journal: Journal

    public init(settings: Settings, secrets: Secrets, journal: Journal) {
        self.settings = settings
        self.secrets = secrets
        self.journal = journal
    }

    /// Serves until a signal ends it; returns after a clean drain.
    public func run() throws(ServeError) {
        do { try RingProbe.check() } catch { throw ServeError(error.description) }
        try Signals.prepare()
        let plan = try MachinePlan(settings, journal)
        let directory = try DataDirectory.open(settings.storage.path)
        let listening = try listen(plan.places)
        let sendsZeroCopy = sendsZeroCopy(plan)
        announceStart(plan, sendsZeroCopy: sendsZeroCopy)
        let steering = Steering<StoreShared>()
        try Signals.steer(steering, settings, journal)
        let threads = try startThreads(plan, sendsZeroCopy: sendsZeroCopy)
        // Listening before recovering: /health and /ready answer from the first moment on.
        accept(threads.cores, listening)
        open(directory, threads.cores, steering)
        switch steering.waitForOpening() {
        case .opened(let store):
            steering.waitForStop()
            try stop(threads, store)
        case .failed(let error):
            do { try stop(threads, nil) } catch { journal.error(error.description) }
            throw error
        case .cut:
            try leaveRecovery(threads)
        }
        journal.notice("stopped")
    }

    // MARK: Listeners

    private struct Listeners {
        let address: ListenAddress
        let sockets: [Descriptor]
        let metrics: ListenAddress?
        let metricsSocket: Descriptor?
    }

    private func listen(_ places: [CorePlace]) throws(ServeError) -> Listeners {
        let (sockets, address) = try open(settings.server.listen, places.count)
        if settings.server.steering == .cpu {
            ListenerSteering.attach(sockets, cpus: places.map(\.cpu), journal)
        }
        guard let wanted = settings.metrics.listen else {
            return Listeners(
                address: address, sockets: sockets, metrics: nil, metricsSocket: nil)
        }
        let (metricsSockets, metrics) = try open(wanted, 1)
        return Listeners(
            address: address, sockets: sockets, metrics: metrics, metricsSocket: metricsSockets[0])
    }

    private func open(
        _ address: ListenAddress, _ count: Int
    ) throws(ServeError) -> (sockets: [Descriptor], address: ListenAddress) {
        do { return try Listening.open(address, count: count) } catch {
            switch error {
            case .addressInUse:
                throw ServeError(
                    "\(address) is taken by another program: choose another with --listen"
                        + " or --metrics-listen, or end that program")
            case .notAllowed, .notPermitted:
                throw ServeError(
                    "\(address): this user may not listen there; ports below 1024 need"
                        + " CAP_NET_BIND_SERVICE")
            default:
                throw ServeError("cannot listen on \(address): errno \(error.code)")
            }
        }
    }

    // MARK: Threads

    private func startThreads(
        _ plan: MachinePlan, sendsZeroCopy: Bool
    ) throws(ServeError) -> CoreThreads<Core> {
        let front = frontSettings()
        return try CoreThreads.start(plan, journal) { ground in
            var front = front
            front.sendsZeroCopy = sendsZeroCopy && ground.isRegistered
            var random = SystemRandomNumberGenerator()
            let core = try Core(
                loop: ground.loop, memory: ground.memory, settings: front, hashKey: random.next())
            ground.loop.observer = core
            Task(executorPreference: ground.loop) { await core.keepTime() }
            return core
        }
    }

    private func frontSettings() -> FrontSettings {
        let journal = journal
        var front = FrontSettings(
            secrets: secrets.signing.map(UploadCredential.init), adminToken: secrets.admin.bytes)
        // Positions in a head are 16 bits.
        front.limits.headBytes = min(settings.limits.headBytesMax, Int(UInt16.max))
        front.limits.fieldCount = settings.limits.fieldCountMax
        front.limits.requestLineBytes = settings.limits.targetBytesMax
        front.basePath = Array(settings.server.basePath.utf8)
        front.badSignatureStatus =
            settings.security.badSignatureStatus == 401 ? .unauthorized : .forbidden
        front.uploadBytesMax = min(
            UInt64(settings.uploads.sizeBytesMax), StoreLimits.objectBytesMax)
        front.uploadSecondsToLive = UInt64(settings.uploads.unfinishedLifetime.wholeSeconds)
        front.tokens = secrets.tokens.map(UploadCredential.init)
        front.jwtSecret = secrets.jwt?.bytes
        front.jwtAudience = settings.security.jwtAudience.map { Array($0.utf8) }
        front.verifiesAlways = settings.downloads.verification == .always
        front.buffers = BufferLimits(
            smallest: settings.performance.bufferBytesMin,
            largest: settings.performance.bufferBytesMax,
            isAdaptive: settings.performance.adaptsBuffers,
            intervalNanoseconds: settings.performance.bufferInterval.wholeNanoseconds)
        front.admission = AdmissionLimits(
            delayTarget: settings.limits.queueDelayTarget.wholeNanoseconds,
            delayInterval: settings.limits.queueDelayInterval.wholeNanoseconds,
            bytesInFlightMax: UInt64(settings.limits.inFlightBytesMax))
        front.chunks = ChunkLimits(
            smallest: UInt64(settings.performance.chunkBytesMin),
            largest: UInt64(settings.performance.chunkBytesMax))
        front.appendBytesMax = settings.uploads.appendBytesMax.map { UInt64($0) }
        front.durability = settings.storage.durability == .durable ? .durable : .written
        front.connectionsMax = settings.limits.connectionsPerCoreMax
        front.headTimeoutSeconds = settings.limits.headTimeout.wholeSeconds
        front.idleTimeoutSeconds = settings.limits.idleTimeout.wholeSeconds
        front.sendTimeoutSeconds = settings.limits.idleTimeout.wholeSeconds
        front.bodyTimeoutSeconds = settings.limits.bodyTimeout.wholeSeconds
        front.bodyBytesPerSecondMin = settings.limits.bodyBytesPerSecondMin
        front.log = { line in journal.error(line) }
        setAdaptation(of: &front)
        return front
    }

    private func setAdaptation(of front: inout FrontSettings) {
        front.plansChunks = settings.performance.plansChunks
        front.chunkAlgorithm =
            switch settings.performance.chunkAlgorithm {
            case .fixed: .fixed
            case .adaptive: .adaptive
            case .predictive: .predictive
            }
        if settings.performance.profilesClients {
            front.profiles = ClientProfiles(
                secondsKept: UInt64(settings.performance.profileLifetime.wholeSeconds))
        }
        front.estimatesLinks = settings.streaming.estimatesLinks
        front.detectsLinkClass = settings.performance.detectsLinkClass
        front.adaptsQuality = settings.streaming.adaptsQuality
        front.sendsRanges = settings.streaming.sendsRanges
        front.sendsPrecompressed = settings.downloads.sendsPrecompressed
        front.tuningChoices = TuningChoices.find(settings.streaming, .real, journal)
        let journal = journal
        front.remark = { line in journal.notice(line) }
    }

    /// Whether large sends may leave without a copy, if network cards can.
    private func sendsZeroCopy(_ plan: MachinePlan) -> Bool {
        settings.performance.sendsZeroCopy && plan.memory.isRegistered && RingProbe.hasZeroCopy()
    }

    // MARK: Opening

    private func accept(_ cores: [Core], _ listening: Listeners) {
        Blocking.wait(on: cores[0].loop) {
            for (core, socket) in zip(cores, listening.sockets) {
                await core.setPeers(cores)
                await core.serve(socket, isMetrics: false)
            }
            if let socket = listening.metricsSocket {
                await cores[0].serve(socket, isMetrics: true)
            }
        }
        journal.notice(
            listeningMessage(listening.address), [("address", "\(listening.address)")])
        if let metrics = listening.metrics {
            journal.notice(metricsMessage(metrics), [("address", "\(metrics)")])
        }
    }

    /// Starts what `steering` tells of when it has ended.
    private func open(
        _ directory: DataDirectory, _ cores: [Core], _ steering: Steering<StoreShared>
    ) {
        let setup = StoreStart(settings: settings, directory: directory, journal: journal)
        Task(executorPreference: cores[0].loop) {
            do throws(ServeError) {
                let store = try await setup.open(cores, mayServe: steering.mayServe)
                if let store { steering.opened(store) }
            } catch {
                steering.failed(error)
            }
        }
    }

    // MARK: Stopping

    /// Ends connections, then the store, then the threads. On an error the threads run on.
    private func stop(
        _ threads: consuming CoreThreads<Core>, _ store: StoreShared?
    ) throws(ServeError) {
        let cores = threads.cores
        do throws(ServeError) {
            try drain(cores)
            try close(cores, store)
        } catch {
            threads.leaveRunning()
            throw error
        }
        threads.join()
    }

    /// Recovery goes on while the connections end; the process ends in the midst of it, as a crash
    /// might, which every next start is prepared for. Nothing that it found was served.
    private func leaveRecovery(_ threads: consuming CoreThreads<Core>) throws(ServeError) -> Never {
        let cores = threads.cores
        threads.leaveRunning()
        try drain(cores)
        journal.notice("recovery is cut short: the next start begins it anew")
        journal.notice("stopped")
        // Not exit(3), which would tear down what those threads use.
        _exit(0)
    }

    private func drain(_ cores: [Core]) throws(ServeError) {
        let seconds = settings.server.drainTimeout.wholeSeconds
        let journal = journal
        let secondsMax = seconds + Drain.graceSeconds + Drain.answerSeconds
        let connectionsStuck = Blocking.wait(on: cores[0].loop, withinSeconds: secondsMax) {
            () async -> Int in
            for core in cores { await core.drain() }
            let loop = cores[0].loop
            var drain = Drain(now: loop.now, seconds: seconds)
            while true {
                let (objects, all) = await ServerProcess.connectionCounts(cores)
                switch drain.step(now: loop.now, objects: objects, all: all) {
                case .wait: await loop.sleep(until: loop.now + 10_000_000)
                case .endRest(let unfinished):
                    if unfinished > 0 {
                        journal.warning(
                            "the drain timeout is over", [("connections", "\(unfinished)")])
                    }
                    for core in cores { await core.endAll() }
                case .ended: return 0
                case .stuck(let connections): return connections
                }
            }
        }
        guard let connectionsStuck else { throw ServeError(Drain.silenceComplaint) }
        guard connectionsStuck == 0 else {
            throw ServeError(Drain.complaint(connections: connectionsStuck))
        }
    }

    private static func connectionCounts(_ cores: [Core]) async -> (objects: Int, all: Int) {
        var (objects, others) = (0, 0)
        for core in cores {
            objects += await core.objectConnectionCount
            others += await core.metricsConnectionCount
        }
        return (objects, objects + others)
    }

    private func close(_ cores: [Core], _ store: StoreShared?) throws(ServeError) {
        let journal = journal
        journal.info("drained: closing the store")
        let end: Void? = Blocking.wait(on: cores[0].loop, withinSeconds: Drain.closeSeconds) {
            // The catalog is told what is known now; what it refuses was logged.
            await cores[0].saveProfiles()
            for core in cores { await core.closeStore() }
            do { try await store?.close() } catch {
                journal.error("the index could not be closed cleanly: \(error)")
            }
            for core in cores.reversed() { await core.stop() }
        }
        if end == nil { throw ServeError(Drain.closingComplaint) }
    }

    private func announceStart(_ plan: MachinePlan, sendsZeroCopy: Bool) {
        journal.notice(
            "millrace \(Release.version)",
            [
                ("kernel", RingProbe.kernelRelease()),
                ("cores", plan.places.map { "\($0.cpu)" }.joined(separator: ",")),
                ("arena", "\(plan.memory.bytesPerCore >> 20) MiB"),
                ("registered", plan.memory.isRegistered ? "yes" : "no"),
                ("zero_copy", sendsZeroCopy ? "yes" : "no"),
                ("data", settings.storage.path),
                ("filesystem", plan.fileSystemType),
                ("device", plan.storageDevice?.name ?? "none"),
                ("device_node", plan.storageDevice?.node.map { "\($0)" } ?? "unknown"),
            ])
    }
}

extension Duration {
    /// Of a duration that is not negative, and a few centuries at most.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Rounded up: 0 only for nothing.
    var wholeSeconds: UInt32 {
        let (seconds, attoseconds) = components
        return UInt32(clamping: seconds + (attoseconds > 0 ? 1 : 0))
    }
}

extension UploadCredential {
    fileprivate init(_ credential: Secrets.Credential) {
        self.init(
            owner: credential.owner, tenant: credential.tenant, secret: credential.secret.bytes)
    }
}
