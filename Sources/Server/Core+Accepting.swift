/// New connections: taken from a listener, kept or handed to a core that has fewer.
///
///     listener ─▶ accepted ─┬▶ open ─▶ slot, receive armed
///                           └▶ mailbox of a core with fewer ─▶ adopt ─▶ open, there
///
/// A connection that is handed over has not been read from: all it is is its descriptor. From its
/// first moment on it is counted (`ConnectionLoad`) where it is going, so a drain waits for it; and
/// there it is adopted, or closed if that core drains.

import Engine
import IO
import Loop

extension Core {
    func armListeners() {
        for index in listeners.indices
        where !listeners[index].isArmed && !listeners[index].isEnding {
            listeners[index].isArmed = true
            loop.push(
                .accept(listener: listeners[index].descriptor),
                Token(.accept, slot: UInt32(index)))
        }
    }

    /// Ends the listeners of one kind: no new connection, and their port is free for a successor.
    func closeListeners(isMetrics: Bool) {
        for index in listeners.indices
        where listeners[index].isMetrics == isMetrics && !listeners[index].isEnding {
            listeners[index].isEnding = true
            if listeners[index].isArmed {
                loop.push(.cancel(Token(.accept, slot: UInt32(index))), Token(.ignored))
            } else {
                closeListener(index)
            }
        }
    }

    private func closeListener(_ index: Int) {
        loop.push(.close(listeners[index].descriptor), Token(.ignored))
    }

    func accepted(_ completion: Completion) {
        let index = Int(completion.token.slot)
        if !completion.more {
            listeners[index].isArmed = false
            if listeners[index].isEnding { closeListener(index) }
        }
        if let error = KernelError(result: completion.result) {
            // Out of descriptors, say: the tick arms it again, when some may be free.
            if error != .cancelled { counters.acceptErrors += 1 }
            return
        }
        let socket = Descriptor(completion.result)
        if listeners[index].isEnding {
            refuse(socket)
        } else if listeners[index].isMetrics {
            open(socket, isMetrics: true)
        } else {
            place(socket)
        }
        if !completion.more { armListeners() }
    }

    /// Keeps a client for objects, or hands it to a core that has fewer.
    private func place(_ socket: Descriptor) {
        load.add()
        guard let target = claimPlaceElsewhere() else { return open(socket, isMetrics: false) }
        load.remove()
        counters.connectionsHandedOver += 1
        // This one task is the price of a connection that moves: none of its requests pays it.
        Task(executorPreference: target.loop) { await target.adopt(socket) }
    }

    /// The core that is to take the connection just added here, which is counted there as well.
    private func claimPlaceElsewhere() -> Core? {
        // Whoever is quicker has changed the picture: it is looked at again, but not for ever.
        for _ in peers.indices {
            for core in peers.indices { peerCounts[core] = peers[core].load.count }
            guard
                let target = ConnectionBalance.target(
                    from: loop.index, counts: peerCounts.span, countMax: settings.connectionsMax)
            else { return nil }
            if peers[target].load.claim(expecting: peerCounts[target]) { return peers[target] }
        }
        return nil
    }

    /// Takes a connection that another core has accepted and counted here, as if accepted here.
    func adopt(_ socket: Descriptor) {
        if phase == .draining {
            load.remove()
            refuse(socket)
        } else {
            open(socket, isMetrics: false)
        }
    }

    private func refuse(_ socket: Descriptor) {
        counters.connectionsRefused += 1
        loop.push(.close(socket), Token(.ignored))
    }

    /// Begins to read from a client; one for objects is already in `load`.
    private func open(_ socket: Descriptor, isMetrics: Bool) {
        guard let slot = connections.open(socket) else {
            if !isMetrics { load.remove() }
            return refuse(socket)
        }
        counters.connections += 1
        if isMetrics { connections[slot].flags.insert(.isMetrics) }
        connections[slot].flags.insert(.receivesOnce)
        setDeadline(slot, seconds: settings.headTimeoutSeconds)
        armReceive(slot)
    }

    /// The kernel has closed a connection's socket: its slot is free.
    func closed(_ slot: Int) {
        if !connections[slot].flags.contains(.isMetrics) { load.remove() }
        connections[slot].flags.remove(.closing)
        if connections[slot].link > 0 { links.leave(connections[slot].link) }
        connections.close(slot)
    }
}
