// Goal:   an upload whose body breaks off is told so, also where its bytes are only compared.
// Method: the front and the store on a kernel that the test plays (StoredBed).

import Catalog
import Simulator
import Testing

@testable import Server

@Suite struct `A body that breaks off` {
    /// Small, large, and so large that it is compared in several steps.
    @Test(arguments: [3000, 200_000, 1_500_000])
    func `while it is compared is a 408, not a conflict`(size: Int) throws {
        let bytes = noise(size, seed: 1)
        try StoredBed.run(SimulatedDisk(), MemoryCatalog(instance: StoredBed.instance)) { bed in
            #expect(try bed.put("a", bytes) == 201)
            let client = bed.front.connect()
            client.send(try bed.signed("a", size))
            client.send(Array(bytes.prefix(size - 1)))
            client.endSending()
            bed.front.settle()
            let answer = bed.finalAnswer(client)
            #expect(answer?.status == 408)
            bed.get("a")
            try bed.expectNothingLeft("after it")
        }
    }
}
