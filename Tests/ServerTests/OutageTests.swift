// Goal:   clients of a volume that fails for a while are told when to come again, may read
//         meanwhile, and are let in once it works; the metrics page says how that goes.
// Method: a store on the simulated disk behind the whole front; one flush fails, or reads do.

import Catalog
import IO
import Simulator
import Store
import Testing

@testable import Server

@Suite struct `A front over a volume that failed` {
    private static let on = StoreResilience(retries: true, backsOff: true, breaksCircuits: true)

    private func run(
        _ resilience: StoreResilience, _ body: (StoredBed, SimulatedDisk) throws -> Void
    ) throws {
        let disk = SimulatedDisk()
        try StoredBed.run(
            disk, MemoryCatalog(instance: StoredBed.instance), resilience: resilience
        ) { bed in
            try bed.put("old", noise(3000, seed: 1))
            try body(bed, disk)
        }
    }

    private func refused(_ bed: StoredBed, _ size: Int = 3000) throws -> String? {
        let head = try bed.signed("new", size)
        let answer = try #require(bed.exchange(head, noise(size, seed: 2)).answer)
        #expect(answer.status == 503)
        return answer.fields.first { $0.hasPrefix("retry-after: ") }
    }

    private func samples(_ bed: StoredBed, _ prefix: String) -> [String] {
        let core = bed.front.core
        bed.front.on { $0.setPeers([core]) }
        let client = bed.front.connect(to: FrontBed.metricsListener)
        client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
        bed.front.settle()
        return String(decoding: client.finalResponse?.body ?? [], as: UTF8.self)
            .split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func `says when to come again, and takes uploads then`() throws {
        try run(Self.on) { bed, disk in
            disk.fail(.sync, number: 1)
            let wait1 = try refused(bed)
            #expect(wait1 == "retry-after: 1")
            // The next probe fails as well; so it is two seconds then.
            disk.fail(.sync, number: 1)
            bed.front.pass(seconds: 1)
            let wait2 = try refused(bed)
            #expect(wait2 == "retry-after: 2")
            #expect(bed.get("old") == 200)
            let state = "millrace_volume_circuit_state"
            #expect(
                samples(bed, state) == [
                    "\(state){state=\"closed\"} 0", "\(state){state=\"open\"} 1",
                    "\(state){state=\"half_open\"} 0",
                ])
            #expect(samples(bed, "millrace_volume_probe_s") == ["millrace_volume_probe_seconds 2"])
            #expect(samples(bed, "millrace_failed_volumes") == ["millrace_failed_volumes 1"])
            bed.front.pass(seconds: 3)
            let status = try bed.put("newer", noise(3000, seed: 3))
            #expect(status == 201)
            #expect(bed.get("newer") == 200)
            #expect(
                samples(bed, "millrace_volume_probes_total") == [
                    "millrace_volume_probes_total{outcome=\"succeeded\"} 1",
                    "millrace_volume_probes_total{outcome=\"failed\"} 1",
                ])
            #expect(
                samples(bed, "millrace_volume_circuit_closes")
                    == ["millrace_volume_circuit_closes_total 1"])
        }
    }

    @Test func `goes on refusing where no breaker is wanted`() throws {
        try run(.none) { bed, disk in
            disk.fail(.sync, number: 1)
            let wait3 = try refused(bed)
            #expect(wait3 == "retry-after: 10")
            bed.front.pass(seconds: 300)
            let wait4 = try refused(bed)
            #expect(wait4 == "retry-after: 10")
            #expect(bed.get("old") == 200)
        }
    }

    @Test func `counts what is asked again`() throws {
        try run(Self.on) { bed, disk in
            disk.fail(.write, number: 1)
            let answer = bed.exchange(try bed.signed("new", 3000), noise(3000, seed: 2))
            // It takes a moment: then the first answer that there is.
            bed.front.pass(seconds: 1)
            #expect(answer.answer?.status ?? 201 == 201)
            #expect(
                samples(bed, "millrace_retries_total") == [
                    "millrace_retries_total{operation=\"read\"} 0",
                    "millrace_retries_total{operation=\"write\"} 1",
                ])
            let writes = "millrace_retried_operations_total{operation=\"write\",outcome="
            #expect(
                samples(bed, writes) == [
                    "\(writes)\"recovered\"} 1", "\(writes)\"exhausted\"} 0",
                    "\(writes)\"refused\"} 0",
                ])
            #expect(samples(bed, "millrace_failed_volumes") == ["millrace_failed_volumes 0"])
        }
    }
}
