/// Overload: new requests that are refused in the completion that brought them, without a task, a
/// buffer of the pool or an allocation, and the probes by which overload is told.
///
/// What was begun goes on: chunks and appends, what is asked of uploads, deletions, whatever is
/// the operator's. Objects in the hot cache are answered: to refuse would cost as much.

import Engine
import HTTP
import IO
import Loop

/// What the requests that handlers have begun bring, for `Admission`.
struct RequestsUnderWay {
    /// A longer body keeps its request waiting for its client, not its client for us.
    static let bulkBytesMin: UInt64 = 4 << 20

    /// Those of the requests that are so long, or of unknown length.
    private(set) var bulkCount = 0
    private(set) var bytes: UInt64 = 0
    /// Those that wait for us now: not long ones, and none while it waits for its client.
    var pressing = 0
    /// Answers to requests that pressed until then.
    var answers: UInt64 = 0
    /// While it sheds, those that may be waiting for their clients.
    var waits = ClientWaits()

    static func isBulk(_ request: Request) -> Bool {
        (request.bodyCount ?? .max) >= bulkBytesMin
    }

    mutating func began(_ request: Request) {
        if RequestsUnderWay.isBulk(request) { bulkCount += 1 }
        bytes &+= request.bodyCount ?? 0
    }

    mutating func ended(_ request: Request) {
        if RequestsUnderWay.isBulk(request) { bulkCount -= 1 }
        bytes &-= request.bodyCount ?? 0
    }
}

extension Core {
    // MARK: Probes

    /// How long whatever is ready waits for this thread is measured as long as there are enough
    /// requests for somebody to be refused.
    func probeDelay() {
        guard let nanoseconds = admission.probe(admissionLoad, at: loop.now) else { return }
        loop.start(.timeout(nanoseconds: nanoseconds), for: self, tag: Core.probeTag)
    }

    func probeIsBack() {
        let wasShedding = admission.isShedding
        easeWaiting()
        let delay = admission.probed(admissionLoad, at: loop.now)
        counters.queueDelays.add(delay)
        if admission.isShedding, !wasShedding { noteOverload() }
        // Unless there are enough requests now, the next one may send the next probe.
        if !loop.isStopping { probeDelay() }
    }

    private var admissionLoad: AdmissionLoad {
        AdmissionLoad(
            requests: handlers.unansweredCount - underWay.bulkCount, pressing: underWay.pressing,
            busy: handlers.busyCount, answers: underWay.answers, bytesInFlight: underWay.bytes,
            bufferDelay: bufferDelay, holdsBack: backpressure.holdsBack)
    }

    // MARK: Work

    func beginPressing(_ request: Request) {
        if !RequestsUnderWay.isBulk(request) { press(request.slot) }
    }

    private func press(_ slot: Int) {
        connections[slot].flags.insert(.presses)
        underWay.pressing += 1
        if admission.isShedding { admission.changed(admissionLoad, at: loop.now) }
    }

    /// Its request is no matter of milliseconds, or waits for its client.
    func easePressure(_ slot: Int) {
        guard connections[slot].flags.contains(.presses) else { return }
        connections[slot].flags.remove(.presses)
        underWay.pressing -= 1
        if admission.isShedding { admission.changed(admissionLoad, at: loop.now) }
    }

    /// Its request asks its client for more, or to take more. While the core is late nobody knows
    /// which of both is waited for, before that has lasted (`ClientWaits`). Answers what `endWait`
    /// is to be told: whether it presses.
    @inline(__always)
    func beginWait(_ slot: Int) -> Bool {
        guard connections[slot].flags.contains(.presses) else { return false }
        if admission.isShedding {
            connections[slot].wait = underWay.waits.begin(slot)
        } else {
            easePressure(slot)
        }
        return true
    }

    /// Its request waits for us again.
    @inline(__always)
    func endWait(_ slot: Int, _ presses: Bool) {
        guard presses else { return }
        connections[slot].wait = 0
        if !connections[slot].flags.contains(.presses) { press(slot) }
    }

    /// Those who have waited since before the last probe wait for their clients.
    private func easeWaiting() {
        var waits = ClientWaits()
        swap(&waits, &underWay.waits)
        waits.age { slot, number in
            if connections[slot].wait == number { easePressure(slot) }
        }
        swap(&waits, &underWay.waits)
    }

    /// Its request is answered.
    func endPressing(_ slot: Int) {
        guard connections[slot].flags.contains(.presses) else { return }
        connections[slot].flags.remove(.presses)
        underWay.pressing -= 1
        underWay.answers &+= 1
        if admission.isShedding { admission.answered(admissionLoad, at: loop.now) }
    }

    private static let overloadNewsSeconds: UInt32 = 60

    /// Once a minute at most: clients and metrics tell the rest.
    private func noteOverload() {
        guard overloadToldAt == 0 || seconds &- overloadToldAt >= Core.overloadNewsSeconds else {
            return
        }
        overloadToldAt = seconds
        settings.log("core \(loop.index) is overloaded: new requests are refused with 503")
    }

    // MARK: Requests

    /// Answers a new request with 503 if it is not to be taken. False if it is.
    func refuseNew(_ slot: Int, _ head: RequestHead, _ bytes: Region) -> Bool {
        guard admission.isWatchful, phase == .serving,
            !connections[slot].flags.contains(.isMetrics)
        else { return false }
        let work = work(head, bytes)
        guard work != .begun else { return false }
        let body: UInt64? =
            switch head.framing {
            case .none: 0
            case .length(let count): count
            case .chunked: nil
            }
        guard let reason = admission.refusal(of: body, admissionLoad, at: loop.now) else {
            return false
        }
        counters.admissionRefusals[reason.rawValue] &+= 1
        requestNumber &+= 1
        let keepsAlive = head.keepAlive && canSkip(head, body)
        writeRefusal(slot, head, work, keepAlive: keepsAlive)
        if keepsAlive {
            connections[slot].unwantedCount = UInt32(body ?? 0)
            if body ?? 0 > Core.bodyBytesKeptMax {
                // Left with the kernel, the rest is dropped there.
                connections[slot].flags.insert(.receivesOnce)
                cancelReceive(slot)
            }
        } else {
            connections[slot].flags.insert(.closesAfterOutput)
        }
        return true
    }

    /// Whether the connection can go on behind the body. Nobody knows whether a client that waits
    /// for 100 will send it (RFC 9110 §10.1.1), nor where one in chunks ends.
    private func canSkip(_ head: RequestHead, _ body: UInt64?) -> Bool {
        guard let body else { return false }
        return body == 0
            || (!head.expectsContinue && body <= min(settings.drainBytesMax, UInt64(UInt32.max)))
    }

    /// Of what is here, how much belongs to a body that nobody wants.
    @inline(never)
    func skipUnwanted(_ slot: Int, _ available: Int) -> Int {
        let unwanted = connections[slot].unwantedCount
        guard unwanted > 0 else { return 0 }
        let skipped = min(Int(unwanted), available)
        connections[slot].unwantedCount = unwanted - UInt32(skipped)
        return skipped
    }

    /// What comes to somebody who has his answer is waited for as long as it may come.
    private static let lingerBytes: UInt32 = 1 << 30

    /// How much of what comes next nobody wants; nil if it may be a request.
    func bytesToDrop(_ slot: Int) -> UInt32? {
        if connections[slot].flags.contains(.lingering) { return Core.lingerBytes }
        let unwanted = connections[slot].unwantedCount
        return unwanted > 0 ? unwanted : nil
    }

    /// The kernel has dropped so many.
    func dropped(_ slot: Int, _ count: UInt32) {
        counters.bytesIn &+= UInt64(count)
        connections[slot].unwantedCount -= min(count, connections[slot].unwantedCount)
    }

    private static let refusalLine = Array("too much is asked of this server: come again\n".utf8)

    private func writeRefusal(
        _ slot: Int, _ head: RequestHead, _ work: NewWork, keepAlive: Bool
    ) {
        let seconds = Admission.retryAfterSeconds(requestNumber)
        writeHead(slot, .serviceUnavailable, keepAlive: keepAlive) { output in
            output.appendField("Retry-After", decimal: seconds)
            switch work {
            case .begun, .plain: break
            case .tus: output.appendField("Tus-Resumable", TusFields.version)
            case .resumable: output.appendUploadLimit(uploadLimit())
            }
            output.append("Content-Type: text/plain; charset=utf-8\r\n")
            output.appendField("Content-Length", decimal: UInt64(Core.refusalLine.count))
        }
        append(slot, Core.refusalLine.span)
    }

    // MARK: What is new

    private enum NewWork {
        /// It is not: it goes on with something, or is cheap and worth knowing.
        case begun
        case plain
        /// It begins an upload in that dialect.
        case tus
        case resumable
    }

    /// A reserved segment written with escapes is taken for an object's name here, and for what it
    /// is by the handler.
    private func work(_ head: RequestHead, _ bytes: Region) -> NewWork {
        let path = arena.span(bytes).extracting(head.path)
        var prefix = min(1, path.count)
        let base = settings.basePath
        if base.count > 1, path.count >= base.count,
            path.extracting(0..<base.count).equals(base.span)
        {
            prefix = base.count
        }
        let name = path.extracting(droppingFirst: prefix)
        let reserved = ReservedSegment(of: name)
        switch head.method {
        case .get: return Core.getsObject(reserved) ? .plain : .begun
        case .put, .post:
            return upload(head, arena.span(bytes), reserved, name.count)
        case .head, .patch, .delete, .options, .other: return .begun
        }
    }

    private static func getsObject(_ reserved: ReservedSegment?) -> Bool {
        switch reserved {
        case nil, .u, .files: true
        case .health, .ready, .metrics, .admin, .upload, .chunkedUpload, .uploadStatus, .download:
            false
        }
    }

    /// Of requests that may begin an upload, those that do.
    private func upload(
        _ head: RequestHead, _ bytes: Span<UInt8>, _ reserved: ReservedSegment?, _ nameCount: Int
    ) -> NewWork {
        switch reserved {
        case nil:
            guard head.method == .put else { return .begun }
            return head.hasUploadComplete ? .resumable : .plain
        case .upload: return .plain
        case .chunkedUpload:
            return DialectLines(head, in: bytes)[.sessionID].isPresent ? .begun : .plain
        case .files:
            // What follows names an upload that there is.
            guard nameCount <= ReservedSegment.files.text.utf8.count else { return .begun }
            let lines = DialectLines(head, in: bytes)
            guard lines[.tusResumable].isPresent else { return .resumable }
            // The whole of parts that have come: nothing more does.
            let concatenation = bytes.extracting(lines[.uploadConcat])
            let isFinal =
                concatenation.count >= 5 && concatenation.extracting(0..<5).equals("final")
            return isFinal ? .begun : .tus
        case .health, .ready, .metrics, .admin, .uploadStatus, .download, .u: return .begun
        }
    }
}
