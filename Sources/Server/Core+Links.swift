/// Large transfers are watched: what the kernel knows of their links is asked for now and then,
/// their connection gets a class, and its socket and buffers follow that.
///
///     begins ─▶ sample ─▶ passed … ─▶ sample ─▶ class ─▶ tuning ─▶ … ─▶ ends ─▶ sample ─▶ record
///
/// A connection without a large transfer has no row in `links`, and nothing here is called for it.
/// No transfer waits for any of this: what is asked goes down with what it asks for next, and is
/// answered beside it (`Core+LinkAnswers.swift`).

import Engine
import HTTP
import IO
import Loop

extension Core {
    /// A handler's body or answer begins to move. `bytes`: of all of it; nil if nobody knows.
    /// `owner`: whose credential the request has, where that is known.
    func beginTransfer(
        _ request: Request, _ direction: LinkDirection, bytes: UInt64?, owner: [UInt8] = []
    ) {
        guard let watch = TransferWatch(direction, bytes: bytes, now: loop.now) else { return }
        noteHints(request)
        let number = linkNumber(request.slot)
        links[number].watch = watch
        links[number].user = userKey(owner)
        askAddress(number)
        links[number].inquiry.isBeginning = true
        askSample(number, direction)
    }

    /// Counts what has come or gone of it.
    func passed(_ slot: Int, _ count: Int) {
        let number = connections[slot].link
        guard number > 0, count > 0, let direction = links[number].watch?.direction,
            links[number].watch?.moved(UInt64(count), now: loop.now) == true
        else { return }
        askSample(number, direction)
    }

    /// It has ended. `isBroken`: the connection did, or its client stood still for too long.
    func endTransfer(_ slot: Int, isBroken: Bool) {
        let number = connections[slot].link
        guard number > 0, let watch = links[number].watch.take() else { return }
        // Of two that end in one turn the first has no sample of its own.
        conclude(number)
        // A server that goes has ended it itself.
        let isOurs = phase == .draining && connections[slot].flags.contains(.ending)
        links[number].inquiry.ended = EndedTransfer(
            direction: watch.direction, bytes: watch.bytes, seconds: watch.seconds(now: loop.now),
            hasFailed: isBroken && !isOurs, user: links[number].user)
        askSample(number, watch.direction)
        if links[number].inquiry.sample == nil { conclude(number) }
    }

    // MARK: What is known

    /// The connection's row, which is made if it has none.
    private func linkNumber(_ slot: Int) -> UInt32 {
        if connections[slot].link == 0 { connections[slot].link = links.add(slot) }
        return connections[slot].link
    }

    func linkClass(_ slot: Int) -> LinkClass {
        let number = connections[slot].link
        return number > 0 ? links[number].classifier.current : .unknown
    }

    /// What is believed of the connection's link; nothing, for one without a large transfer.
    func linkEstimate(_ slot: Int, _ direction: LinkDirection) -> LinkEstimate {
        let number = connections[slot].link
        return number > 0 ? links[number].estimate(direction) : LinkEstimate()
    }

    /// Reads what the client says of its link, where somebody is about to make use of it.
    func noteHints(_ request: Request) {
        guard settings.detectsLinkClass else { return }
        let number = linkNumber(request.slot)
        // Who begins an upload may bring bytes for it as well.
        guard links[number].hintedBy != request.number else { return }
        links[number].hintedBy = request.number
        let hints = ClientHints(request.head, in: request.bytes.span)
        if hints.hasAbsurd {
            links.counters.hintsIgnored += 1
            complain(
                .absurdHints, "a client's hints on its network say nothing, and are ignored")
        }
        links[number].hints = LinkHints(hints)
        classify(number)
    }

    func classify(_ number: UInt32) {
        guard settings.detectsLinkClass else { return }
        let (estimate, hints) = (links[number].estimate, links[number].hints)
        if links[number].classifier.observe(estimate, hints, now: loop.now) {
            links.counters.changed(to: links[number].classifier.current)
        }
    }

    func complain(_ subject: Complaints.Subject, _ line: String) {
        if settings.complaints.isFirst(subject) { settings.remark(line) }
    }

    /// Of who begins an upload, or is about to: its next requests have the hints. Objects are no
    /// pages whose links a browser would send them for.
    func askForHints(_ output: inout OutputSpan<UInt8>) {
        if settings.detectsLinkClass { output.appendField("Accept-CH", ClientHints.wanted) }
    }

    // MARK: What follows from it

    private func tuning(_ number: UInt32, _ direction: LinkDirection) -> LinkTuning {
        guard settings.adaptsQuality else { return LinkTuning() }
        return LinkTuning.decide(
            links[number].classifier.current, links[number].estimate(direction),
            settings.tuningChoices)
    }

    /// Tells the socket what follows from its link's class and rate, if those are new. An option
    /// that the kernel refuses stays as it is, and is not asked for again before that changes.
    func tune(_ number: UInt32) {
        let (estimate, current) = (
            links[number].estimate(.download), links[number].classifier.current
        )
        // How uploads come is for their senders to say; and nothing follows from a class alone.
        guard settings.adaptsQuality, let slot = links[number].slot,
            !connections[slot].flags.contains(.ending), estimate.bytesPerSecond != nil,
            current != links[number].tunedClass
                || LinkTuning.isOutdated(links[number].tunedEstimate, by: estimate)
        else { return }
        links[number].tunedClass = current
        links[number].tunedEstimate = estimate
        let (before, after) = (links[number].tuning, tuning(number, .download))
        links[number].tuning = after
        let changes = after.options(from: before, system: settings.tuningChoices.systemControl)
        for change in changes {
            let operation = Operation.tune(
                socket: connections[slot].socket, option: change.option)
            ask(operation, .tuning(change.option.tuning, change.reason), number)
        }
    }

    /// How a download begins: with what the same link has shown before.
    func downloadPace(_ slot: Int) -> TransferPace {
        let number = connections[slot].link
        guard number > 0 else { return buffers.pace(.download) }
        let tuning = tuning(number, .download)
        return buffers.pace(
            .download, shown: tuning.startBytes, bufferBytesMax: tuning.bufferBytesMax)
    }

    /// Whoever has sent fast on this connection goes on so.
    func uploadPace(_ slot: Int) -> TransferPace {
        let (number, shown) = (connections[slot].link, Int(connections[slot].uploadBufferBytes))
        guard number > 0 else { return buffers.pace(.upload, shown: shown) }
        return buffers.pace(
            .upload, shown: shown, bufferBytesMax: tuning(number, .upload).bufferBytesMax)
    }
}

extension LinkTuning {
    struct Change: Equatable {
        let option: SocketOption
        let reason: LinkCounters.Reason
    }

    /// What a socket has to be told that was told `before`.
    ///
    /// - Parameter system: what it has if nobody chooses; nil if that is none of those known here,
    ///   and then none is chosen that could not be taken back.
    func options(from before: LinkTuning, system: CongestionControl?) -> [Change] {
        var changes: [Change] = []
        if unsentBytesMax != before.unsentBytesMax {
            let reason: LinkCounters.Reason = unsentBytesMax > 0 ? .slow : .restored
            changes.append(Change(option: .unsentBytesMax(unsentBytesMax), reason: reason))
        }
        if pacingBytesPerSecond != before.pacingBytesPerSecond {
            changes.append(
                Change(
                    option: .pacing(bytesPerSecond: pacingBytesPerSecond),
                    reason: pacingBytesPerSecond == nil ? .restored : .slow))
        }
        if congestionControl != before.congestionControl, let system {
            changes.append(
                Change(
                    option: .congestionControl(congestionControl ?? system),
                    reason: congestionControl == nil ? .restored : .lossy))
        }
        return changes
    }
}
