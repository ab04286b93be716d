// Clients on two cores who go on writing whatever happens to the volumes, and what they were told.

import Catalog
import IO
import Loop
import Simulator
import Volumes

@testable import Store

/// A crowd that works while volumes fail, and the power cuts that it is to survive.
///
/// Each client has a name of its own, which it puts, reads and removes in turn; so whatever was
/// told of a name last is what it must have.
final class OutageCrowd {
    struct Client {
        let name: String
        let core: Int
        let size: Int
        var durability = Durability.durable
        /// Between two halves of what it sends, in seconds; of large objects only.
        var pause = 0.0
    }

    static let clients = [
        Client(name: "small", core: 0, size: 3000), Client(name: "twin", core: 1, size: 3000),
        Client(name: "written", core: 1, size: 5000, durability: .written),
        Client(name: "large", core: 0, size: 150_000),
        Client(name: "slow", core: 1, size: 300_000, pause: 4),
        Client(name: "late", core: 0, size: 200_000, durability: .written, pause: 0.7),
    ]

    let world: World
    private let catalog: MemoryCatalog
    private(set) var expectations = Expectations()
    private(set) var cuts: [PowerCut] = []
    private(set) var problems: [String] = []
    /// By what was told: how often.
    private(set) var created = 0
    private(set) var refused = 0
    private var random: SeededRandom
    private var snapshot: (commits: Int, catalog: CatalogSnapshot)?
    private var steps = 0

    init(_ world: World, _ catalog: MemoryCatalog, seed: UInt64) {
        self.world = world
        self.catalog = catalog
        random = SeededRandom(seed: seed)
    }

    /// All clients at work for so many rounds each; the power may go after every `spacing`th step.
    func work(rounds: Int, cuttingEvery spacing: Int) {
        world.machine.afterStep = { [unowned self] in
            steps += 1
            if spacing > 0, steps % spacing == 0, !world.disk.wasPreparation { try? cutPower() }
        }
        let crowd = Box(self)
        let handles = Self.clients.enumerated().map { number, client in
            world.start(on: client.core) {
                for round in 0..<rounds { await crowd.value.turn(client, round, UInt64(number)) }
                return true
            }
        }
        _ = world.machine.run { handles.allSatisfy { $0.answer == true } }
        if !handles.allSatisfy({ $0.answer == true }) { problems.append("somebody waits for ever") }
        world.machine.afterStep = {}
    }

    private func turn(_ client: Client, _ round: Int, _ number: UInt64) async {
        let core = world.cores[client.core]
        let bytes = content(client.size, seed: number << 32 | UInt64(round))
        expectations.attempt(client.name, bytes)
        do throws(StoreError) {
            let pause = UInt64(client.pause * Double(second))
            switch try await core.put(client.name, bytes, client.durability, pausing: pause) {
            case .created:
                created += 1
                if client.durability == .durable { expectations.acknowledge(client.name, bytes) }
            case .existsIdentical: problems.append("\(client.name): nobody had put that")
            case .existsDifferent: break
            }
        } catch {
            refused += 1
        }
        await check(client)
        expectations.attempt(client.name, nil)
        do throws(StoreError) {
            if try await core.remove(client.name) {
                expectations.acknowledge(client.name, nil)
            }
        } catch {
            refused += 1
        }
        await check(client)
        // So that all that is said takes some of an outage's time.
        await core.loop.sleep(until: core.loop.now + second)
    }

    private func check(_ client: Client) async {
        do throws(StoreError) {
            let found = try await world.cores[client.core].get(client.name)
            let state = expectations.names[client.name]
            if let state, !([state.acknowledged] + state.possible).contains(found) {
                problems.append("\(client.name) has \(found?.count ?? -1) bytes, told otherwise")
            }
        } catch .unreadable {
            // Its volume does not read at the moment.
        } catch {
            problems.append("\(client.name): \(error)")
        }
    }

    private func cutPower() throws {
        if snapshot?.commits != catalog.commitCount {
            snapshot = (catalog.commitCount, try CatalogSnapshot(catalog))
        }
        guard let snapshot else { return }
        cuts.append(
            PowerCut(
                image: world.disk.powerCut(&random).image, catalog: snapshot.catalog,
                expectations: expectations, operation: world.disk.operationCount))
    }
}

extension TestCore {
    /// A large object is sent in two halves, with that many nanoseconds between.
    func put(
        _ name: String, _ bytes: [UInt8], _ durability: Durability, pausing pause: UInt64
    ) async throws(StoreError) -> PutOutcome {
        guard pause > 0 else { return try await put(name, bytes, durability) }
        let upload = try await objects.beginLarge(
            UploadDescription(
                name: Array(name.utf8), length: UInt64(bytes.count), mediaType: [], modified: 7))
        let half = bytes.count / 2 / 65_536 * 65_536
        do throws(StoreError) {
            for part in [bytes[..<half], bytes[half...]] {
                try await send(part, to: upload)
                await loop.sleep(until: loop.now + pause)
            }
        } catch {
            await upload.abandon()
            throw error
        }
        return try await upload.commit(durability)
    }

    private func send(
        _ bytes: ArraySlice<UInt8>, to upload: LargeUpload
    ) async throws(StoreError) {
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: 65_536) {
            let part = Array(bytes[start..<min(bytes.endIndex, start + 65_536)])
            let lease = await memory.value.lease(65_536)
            fill(lease.region, part)
            try await upload.write(lease, count: part.count)
        }
    }
}
