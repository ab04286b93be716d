/// What the kernel is asked of links, and what becomes of its answers. They come before the turn's
/// handlers run, and none of those has to: the core observes them itself.

import Engine
import IO
import Loop

extension Core {
    func linkAnswered(_ tag: UInt32, _ result: Int32) {
        let (question, number) = LinkQuestion.read(tag)
        switch question {
        case .sample: sampled(number, result)
        case .address: addressed(number, result)
        case .tuning(let what, let reason): tuned(what, reason, result)
        }
        links.answered(number)
    }

    func ask(_ operation: Operation, _ question: LinkQuestion, _ number: UInt32) {
        links[number].inquiry.answersDue += 1
        loop.start(operation, for: self, tag: question.tag(number))
    }

    // MARK: Samples

    /// Has the kernel say what it knows of the link by now; as soon as that is said, if it is
    /// asked already.
    func askSample(_ number: UInt32, _ direction: LinkDirection) {
        guard links[number].inquiry.sample == nil else {
            return links[number].inquiry.next = direction
        }
        guard settings.estimatesLinks, !links[number].isBlind, let slot = links[number].slot,
            !connections[slot].flags.contains(.ending),
            // Others need it more.
            let target = front.lease(LinkSample.kernelBytesMax)?.detach()
        else { return }
        links[number].inquiry.sample = LinkInquiry.Sample(
            direction: direction, isBeginning: links[number].inquiry.isBeginning, at: loop.now,
            target: target)
        links[number].inquiry.isBeginning = false
        ask(.linkInfo(socket: connections[slot].socket, target: target), .sample, number)
    }

    private func sampled(_ number: UInt32, _ result: Int32) {
        guard let asked = links[number].inquiry.sample.take() else {
            preconditionFailure("nobody has asked for a sample")
        }
        if let error = KernelError(result: result) {
            links[number].isBlind = true
            links.counters.sampleErrors += 1
            complain(.noLinkInfo, "the kernel does not tell of a link: errno \(error.code)")
        } else {
            let count = min(Int(result), Int(asked.target.count))
            let bytes = arena.span(asked.target.part(from: 0, count: count))
            observe(LinkSample(kernel: bytes, now: asked.at), number, asked)
        }
        giveBackFront(asked.target)
        if let next = links[number].inquiry.next.take() { askSample(number, next) }
        if links[number].inquiry.sample == nil { conclude(number) }
        tune(number)
    }

    private func observe(_ sample: LinkSample, _ number: UInt32, _ asked: LinkInquiry.Sample) {
        links.counters.samples += 1
        if !sample.isWhole(asked.direction) {
            links.counters.samplesPartial += 1
            complain(.partialLinkInfo, "this kernel does not tell all of a link")
        }
        links[number].observe(sample, asked.direction, isBeginning: asked.isBeginning)
        classify(number)
    }

    /// All that there will be to know of a transfer that has ended is known.
    func conclude(_ number: UInt32) {
        guard let ended = links[number].inquiry.ended.take() else { return }
        let record = TransferRecord(
            ended.direction, linkClass: links[number].classifier.current,
            estimate: links[number].estimate(ended.direction), bytes: ended.bytes,
            seconds: ended.seconds, hasFailed: ended.hasFailed)
        links.counters.ended(record, now: loop.now)
        remember(record, of: ended.user ?? links[number].network ?? nil)
    }

    // MARK: The rest

    /// Has the kernel say where the connection comes from, unless it has. Before a transfer: of a
    /// connection that was reset nobody knows any more whose it was.
    func askAddress(_ number: UInt32) {
        guard settings.profiles != nil, links[number].user == nil, links[number].network == nil,
            links[number].inquiry.addressTarget == nil, let slot = links[number].slot,
            // Where memory is short, nobody is remembered.
            let target = front.lease(Core.addressBytes)?.detach()
        else { return }
        links[number].inquiry.addressTarget = target
        ask(.peerAddress(socket: connections[slot].socket, target: target), .address, number)
    }

    private func addressed(_ number: UInt32, _ result: Int32) {
        guard let target = links[number].inquiry.addressTarget.take() else {
            preconditionFailure("nobody has asked for an address")
        }
        if let network = network(in: target, result) { links[number].network = .some(network) }
        giveBackFront(target)
    }

    private func tuned(
        _ what: LinkCounters.Tuning, _ reason: LinkCounters.Reason, _ result: Int32
    ) {
        links.counters.tuned(what, result < 0 ? .refused : reason)
        guard result < 0 else { return }
        complain(
            .noTuning,
            "the kernel refuses to tune a socket (\(what.rawValue)): errno \(-result)")
    }
}
