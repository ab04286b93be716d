// The played kernel's sends: what clients take at once, what they are made to wait for, and what of
// our buffers is read only when a client takes it.

import IO
import Loop
import Simulator
import Testing

/// A send that the front has asked for.
struct Send {
    let token: Token
    var source: Message
    let isZeroCopy: Bool

    init(_ token: Token, _ source: Message, isZeroCopy: Bool = false) {
        self.token = token
        self.source = source
        self.isZeroCopy = isZeroCopy
    }
}

/// What a socket holds until its client acknowledges it.
enum Untaken {
    case bytes([UInt8])
    /// Still in the front's buffer, which is free for it behind the notification.
    case lent(Token, Message)
    case notification(Token, Int32)
}

extension FrontBed {
    func send(_ client: Client?, _ send: Send) {
        guard let client else { return }
        if let error = client.sendError { return fail(client, send, error) }
        if client.holdsSends {
            client.heldSends.append(send)
        } else {
            finish(client, send)
        }
    }

    /// What `client` has not read yet reaches it: `count` bytes of the oldest, or all of it.
    func release(_ client: Client, count: Int? = nil) {
        guard !client.heldSends.isEmpty else { return }
        if let count {
            let source = client.heldSends[0].source
            deliver(client, .bytes(source.part(from: 0, count: count).bytes(memory.arena)))
            client.heldSends[0].source = source.part(from: count, count: source.count - count)
            client.heldBytesTaken += count
        } else {
            finish(client, client.heldSends.removeFirst())
        }
        settle()
    }

    /// The client reads on, from now on whatever comes.
    func resume(_ client: Client) {
        client.holdsSends = false
        while !client.heldSends.isEmpty { release(client) }
        if client.pollToken != nil { endPoll(client, planned(.poll) ?? Client.isWritable) }
        settle()
    }

    private func finish(_ client: Client, _ send: Send) {
        let before = client.heldBytesTaken
        client.heldBytesTaken = 0
        var count = send.source.count
        switch plan.outcome(of: send.isZeroCopy ? .sendZeroCopy : .send) {
        case nil: break
        case .error(let error): return fail(client, send, error)
        case .short: count /= 2
        case .nothing: count = 0
        }
        let taken = send.source.part(from: 0, count: count)
        guard send.isZeroCopy else {
            deliver(client, .bytes(taken.bytes(memory.arena)))
            return complete(send.token, Int32(count + before))
        }
        let answer = Completion(token: send.token, result: Int32(count + before), more: true)
        if !client.isNotifiedFirst { complete(answer) }
        if client.isCopied || count + before == 0 {
            deliver(client, .bytes(taken.bytes(memory.arena)))
            deliver(client, .notification(send.token, Completion.wasCopied))
        } else {
            deliver(client, .lent(send.token, taken))
        }
        if client.isNotifiedFirst { complete(answer) }
    }

    /// The send at the head of those that wait is cut; what its client has taken of it stays sent.
    func cutSend(_ client: Client) {
        let send = client.heldSends.removeFirst()
        let taken = Int32(client.heldBytesTaken)
        client.heldBytesTaken = 0
        guard taken > 0 else { return fail(client, send, .cancelled) }
        complete(Completion(token: send.token, result: taken, more: send.isZeroCopy))
        guard send.isZeroCopy else { return }
        deliver(
            client,
            .notification(
                send.token, client.isCopied ? Completion.wasCopied : Completion.sentInPlace))
    }

    func fail(_ client: Client, _ send: Send, _ error: KernelError) {
        complete(
            Completion(token: send.token, result: -error.code, more: send.isZeroCopy))
        if send.isZeroCopy { deliver(client, .notification(send.token, Completion.wasCopied)) }
    }

    private func deliver(_ client: Client, _ untaken: Untaken) {
        client.untaken.append(untaken)
        if !client.holdsAcknowledgements { takeUntaken(client) }
    }

    private func takeUntaken(_ client: Client) {
        while !client.untaken.isEmpty { take(client, client.untaken.removeFirst()) }
    }

    private func take(_ client: Client, _ untaken: Untaken) {
        switch untaken {
        case .bytes(let bytes): client.output += bytes
        case .lent(let token, let source):
            client.output += source.bytes(memory.arena)
            notify(token, Completion.sentInPlace)
        case .notification(let token, let usage): notify(token, usage)
        }
    }

    private func notify(_ token: Token, _ usage: Int32) {
        complete(Completion(token: token, result: usage, isNotification: true))
    }

    /// The client acknowledges the next piece that it holds, or, without `count`, all of them and
    /// whatever comes.
    func acknowledge(_ client: Client, count: Int? = nil) {
        if let count {
            for _ in 0..<count { take(client, client.untaken.removeFirst()) }
        } else {
            client.holdsAcknowledgements = false
            takeUntaken(client)
        }
        settle()
    }

    /// The connection is no more: the kernel needs nothing of what it held, and says so, unless
    /// somebody else has it, such as a card that hangs.
    func dropUntaken(_ client: Client) {
        guard !client.isNeverNotified else { return }
        let untaken = client.untaken
        client.untaken = []
        for piece in untaken {
            switch piece {
            case .bytes: break
            case .lent(let token, _): notify(token, Completion.sentInPlace)
            case .notification(let token, let usage): notify(token, usage)
            }
        }
    }

    func sendFile(_ client: Client, _ bytes: [UInt8]?, _ kind: OperationKind) -> Int32 {
        if let error = client.sendError { return -error.code }
        guard let bytes else { return -KernelError.notResident.code }
        var count = client.holdsSends ? min(bytes.count, client.room) : bytes.count
        if client.holdsSends, count == 0 { return -KernelError.wouldBlock.code }
        client.room -= min(count, client.room)
        switch plan.outcome(of: kind) {
        case nil: break
        case .error(let error): return -error.code
        case .short: count /= 2
        case .nothing: count = 0
        }
        deliver(client, .bytes(Array(bytes.prefix(count))))
        return Int32(count)
    }

    func endPoll(_ client: Client, _ result: Int32) {
        guard let token = client.pollToken else { return }
        client.pollToken = nil
        complete(token, result)
    }
}
