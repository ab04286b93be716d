/// What is remembered of clients: who they are, from the catalog and into it.

import Engine
import HTTP
import IO
import Loop
public import Store

extension Core {
    /// Who the client is, by the subject of its token (`owner`) or else by its network; nil where
    /// neither says anything, or nobody is remembered.
    func clientKey(_ slot: Int, owner: [UInt8] = []) async -> ClientKey? {
        guard settings.profiles != nil else { return nil }
        if owner.starts(with: Core.subjectPrefix) { return userKey(owner) }
        let number = connections[slot].link
        if number > 0, let network = links[number].network { return network }
        // Worth no wait: where memory is short, nobody is remembered.
        guard let lease = memory.leaseNow(Core.addressBytes) else { return nil }
        let target = lease.region.part(from: 0, count: Core.addressBytes)
        let count = await loop.perform(
            .peerAddress(socket: connections[slot].socket, target: target))
        let network = network(in: target, count)
        // A connection stays where it is.
        if number > 0, let network { links[number].network = .some(network) }
        memory.giveBack(lease)
        return network ?? nil
    }

    /// Of a token's subject; nil of any other credential.
    func userKey(_ owner: [UInt8]) -> ClientKey? {
        owner.starts(with: Core.subjectPrefix) ? ClientKey(user: owner) : nil
    }

    /// What getpeername(2) has answered; nil if it failed, nil within if that is of no network.
    func network(in target: Region, _ count: Int32) -> ClientKey?? {
        guard count > 0, count <= Int32(Core.addressBytes) else { return nil }
        let address = arena.span(target.part(from: 0, count: Int(count)))
        return .some(ClientKey(socketAddress: address))
    }

    /// `struct sockaddr_storage`.
    static let addressBytes = 128

    /// Enters a transfer that has ended into its client's profile.
    func remember(_ record: TransferRecord, of client: ClientKey?) {
        guard let key = client else { return }
        let now = loop.wallSeconds
        settings.profiles?.with { table in
            table.update(key, now: now) { $0.enter(record, now: now * 1000) }
        }
    }

    // MARK: The catalog

    /// Takes what the catalog has, before anybody is served; on core 0. Where no client is to be
    /// remembered, all that it has is dropped.
    public func loadProfiles(from shared: StoreShared) async {
        var foreign: [[UInt8]] = []
        var loaded: [(key: ClientKey, value: [UInt8])] = []
        do throws(StoreError) {
            try shared.forEachProfile { key, value in
                if settings.profiles != nil, let key = ClientKey(bytes: key) {
                    loaded.append((key, value))
                } else {
                    foreign.append(key)
                }
            }
        } catch {
            return settings.log("what is remembered of clients could not be read: \(error)")
        }
        let now = loop.wallSeconds
        let unusable = settings.profiles?.with { table in
            loaded.reduce(0) { table.load($1.key, $1.value, now: now) ? $0 : $0 + 1 }
        }
        counters.profilesDropped &+= UInt64(foreign.count + (unusable ?? 0))
        let changes = foreign.map { ProfileChange(key: $0, value: nil) }
        var rest = changes[...]
        while !rest.isEmpty {
            let batch = rest.prefix(StoreShared.profileChangesMax)
            guard await save(Array(batch), shared) else { return }
            rest = rest.dropFirst(batch.count)
        }
    }

    /// Tells the catalog what is new of clients, all of it; on core 0 only, so that two changes of
    /// one client never overtake each other. False if some is still to be told.
    @discardableResult
    public func saveProfiles() async -> Bool {
        precondition(loop.index == 0, "profiles are saved on core 0")
        guard let shared, let profiles = settings.profiles else { return true }
        while isSavingProfiles {
            let ticket = loop.makeTicket()
            profileSavers.append(ticket)
            _ = await loop.answer(ticket)
        }
        isSavingProfiles = true
        defer {
            isSavingProfiles = false
            for ticket in profileSavers { loop.wake(ticket) }
            profileSavers.removeAll()
        }
        let now = loop.wallSeconds
        profiles.with { $0.expire(now: now) }
        while true {
            let changes = profiles.with {
                $0.takeUnsaved(most: StoreShared.profileChangesMax)
            }
            guard !changes.isEmpty else { return true }
            guard
                await save(
                    changes.map { ProfileChange(key: $0.key.bytes, value: $0.value) }, shared)
            else {
                profiles.with { $0.failed(changes) }
                return false
            }
        }
    }

    private func save(_ changes: [ProfileChange], _ shared: StoreShared) async -> Bool {
        do throws(StoreError) {
            try await shared.save(changes)
            profileFailure = nil
            return true
        } catch {
            counters.profileSaveErrors &+= 1
            // The same reason once: it is tried again every few seconds.
            let reason = "\(error)"
            if profileFailure != reason {
                settings.log("what is remembered of clients could not be saved: \(reason)")
            }
            profileFailure = reason
            return false
        }
    }
}
