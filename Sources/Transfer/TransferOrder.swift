// What a run is asked for, and its whole life: find the objects, move the files, say how it went.
//
//     signals ─▶ place (store opened, or server asked) ─▶ run ─▶ summary ─▶ exit code

public import Configuration
internal import Files
internal import Remote
internal import Runtime
internal import Trees

public struct TransferOrder: Sendable {
    /// Where the objects are.
    public enum Place: Sendable {
        /// In the data directory of these settings, which no server may be using.
        case dataDirectory
        case server(url: String, token: Secret)
    }

    public enum Way: Equatable, Sendable {
        case importing
        case exporting(overwrites: Bool)
    }

    public let way: Way
    public let directory: String
    public var prefix = ""
    public var isDry = false
    public var isQuiet = false

    /// What `directory` ends with besides its name is dropped: paths below it begin with a slash.
    public init(_ way: Way, directory: String) {
        var directory = directory
        while directory.count > 1, directory.last == "/" { directory.removeLast() }
        (self.way, self.directory) = (way, directory)
    }

    /// Files under way at once in a stopped store: as many share a flush.
    private static let storeWorkers = 16
    /// Connections to a server.
    private static let serverWorkers = 8

    /// Does it, and says how it went: 0 if every file is there now, 1 if not; after a signal what a
    /// shell calls it, 128 and its number.
    ///
    /// - Throws: what kept it from beginning.
    public func run(_ place: Place, _ settings: Settings) throws(TransferFailure) -> Int32 {
        let names = try names()
        if way == .importing, TransferOrder.identity(directory) == nil {
            throw TransferFailure("\(directory) is no directory", exitCode: 2)
        }
        let report = RunReport(way.kind, isDry: isDry, isQuiet: isQuiet)
        switch place {
        case .dataDirectory:
            try watchSignals(report)
            try runOnStore(settings, names, report)
        case .server(let url, let token):
            let address = try address(url)
            try watchSignals(report)
            try runOnServer(address, url, token, settings, names, report)
        }
        return conclude(report)
    }

    private func address(_ url: String) throws(TransferFailure) -> ServerAddress {
        do throws(ClientError) { return try ServerAddress(url: url) } catch {
            throw TransferFailure("--url: \(error)", exitCode: 2)
        }
    }

    private func names() throws(TransferFailure) -> TreeNames {
        do throws(PrefixFault) {
            return try TreeNames(prefix: prefix, unfinished: TreeTarget.unfinishedName)
        } catch {
            throw TransferFailure("--prefix: \(error.reason)", exitCode: 2)
        }
    }

    private func watchSignals(_ report: RunReport) throws(TransferFailure) {
        do throws(ServeError) {
            try StopSignal.watch { signal in
                if report.isStopping { signal.endAtOnce() }
                report.console.say(
                    "\(signal.name): ending after the files under way; once more to end at once")
                report.end(because: .signal(exitCode: signal.exitCode))
            }
        } catch {
            throw TransferFailure(error.description, exitCode: 1)
        }
    }

    // MARK: A stopped store

    private func runOnStore(
        _ settings: Settings, _ names: TreeNames, _ report: RunReport
    ) throws(TransferFailure) {
        let path = settings.storage.path
        let exists: Bool
        do throws(ServeError) { exists = try StoppedStore.exists(settings) } catch {
            throw TransferFailure(error.description, exitCode: 1)
        }
        guard exists || (way == .importing && !isDry) else {
            guard way == .importing else {
                throw TransferFailure("there are no objects in \(path)", exitCode: 1)
            }
            report.console.say("importing \(directory) into \(path), which is to be made")
            return try run(names, report, forbidden: nil, workers: 1) { EmptyDoor() }
        }
        let result: Result<Void, TransferFailure>
        do throws(ServeError) {
            result = try StoppedStore.with(settings, journal(report)) { keeper in
                report.console.say(introduction("the stopped data directory \(path)"))
                return Result { () throws(TransferFailure) in
                    try run(
                        names, report, forbidden: TransferOrder.identity(path),
                        workers: TransferOrder.storeWorkers
                    ) { StoreDoor(keeper) }
                }
            }
        } catch {
            throw TransferFailure(
                error.description + (error.isInUse ? ": \(advice(settings))" : ""), exitCode: 1)
        }
        try result.get()
    }

    /// What the store has to say while it is open.
    private func journal(_ report: RunReport) -> Journal {
        let console = report.console
        return Journal { level, text, fields in
            guard level == .warning || level == .error else { return }
            let values = fields.map { " \($0.0)=\($0.1)" }.joined()
            console.say("\(level): \(text)\(values)")
        }
    }

    private func advice(_ settings: Settings) -> String {
        let address = settings.server.listen
        let host = address.port == 0 ? "ADDRESS:PORT" : "\(address)"
        return "stop it, or go through it with --url http://\(host)\(settings.server.basePath)"
    }

    // MARK: A server

    private func runOnServer(
        _ address: ServerAddress, _ url: String, _ token: Secret, _ settings: Settings,
        _ names: TreeNames, _ report: RunReport
    ) throws(TransferFailure) {
        report.console.say(introduction("the server at \(url)"))
        do throws(DoorError) {
            // Before anything is begun: whether it is there, and takes the token.
            _ = try ServerDoor(address, token: token.bytes).page(prefix: names.prefix, after: nil)
        } catch {
            throw TransferFailure("\(url): \(error.reason)", exitCode: 1)
        }
        try run(
            names, report, forbidden: TransferOrder.identity(settings.storage.path),
            workers: TransferOrder.serverWorkers
        ) { ServerDoor(address, token: token.bytes) }
    }

    // MARK: Either

    private func run(
        _ names: TreeNames, _ report: RunReport, forbidden: FileIdentity?, workers: Int,
        _ makeDoor: @escaping @Sendable () -> any ObjectDoor
    ) throws(TransferFailure) {
        switch way {
        case .importing:
            if let forbidden, isDirectory(at: directory, within: forbidden) {
                throw TransferFailure(
                    FileError.forbidden(path: directory).description, exitCode: 2)
            }
            try ImportRun(
                directory: directory, names: names, forbidden: forbidden, report: report,
                workers: workers, showsProgress: !isQuiet, makeDoor: makeDoor
            ).run()
        case .exporting(let overwrites):
            try ExportRun(
                names: names, target: try target(forbidden), overwrites: overwrites,
                report: report, workers: workers, showsProgress: !isQuiet, makeDoor: makeDoor
            ).run()
        }
    }

    private func target(_ forbidden: FileIdentity?) throws(TransferFailure) -> TreeTarget? {
        if isDry, fileKind(at: directory) == nil { return nil }
        do throws(FileError) {
            return try TreeTarget(directory, forbidden: forbidden, writes: !isDry)
        } catch {
            if case .forbidden = error { throw TransferFailure("\(error)", exitCode: 2) }
            throw TransferFailure("\(error)", exitCode: 1)
        }
    }

    private func introduction(_ place: String) -> String {
        let dry = isDry ? " (dry run: nothing is changed)" : ""
        return way == .importing
            ? "importing \(directory) into \(place)\(dry)"
            : "exporting \(place) to \(directory)\(dry)"
    }

    private func conclude(_ report: RunReport) -> Int32 {
        report.console.clear()
        let counts = report.counts
        print(counts.summary(report.kind, isDry: isDry))
        switch report.reason {
        case .hopeless(let reason):
            report.console.say("stopped: \(reason)")
            report.console.say("what is there stays there; the same command goes on from here")
            return 1
        case .signal(let exitCode): return exitCode
        case nil: return counts.isClean ? 0 : 1
        }
    }

    private static func identity(_ directory: String) -> FileIdentity? {
        guard case .directory(let identity) = fileKind(at: directory) else { return nil }
        return identity
    }
}

extension TransferOrder.Way {
    fileprivate var kind: TransferKind { self == .importing ? .importing : .exporting }
}
