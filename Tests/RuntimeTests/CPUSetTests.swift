// Goal:   CPU lists mean the same to us, to the kernel and to the person who writes one.

import Testing

@testable import Runtime

@Suite struct `A CPU set` {
    @Test(
        arguments: [
            ("0", [0]), ("0-3,8", [0, 1, 2, 3, 8]), (" 1 , 3-4 \n", [1, 3, 4]), ("", []),
            ("\n", []), ("5-5", [5]), ("8,0-3", [0, 1, 2, 3, 8]), ("1,1", [1]), ("8191", [8191]),
        ] as [(String, [Int])])
    func `reads the kernel's lists`(text: String, cpus: [Int]) throws {
        #expect(try CPUSet(parsing: text).cpus == cpus)
    }

    @Test(
        arguments: [
            ("a", "a"), ("0,,1", ""), ("0,", ""), ("3-1", "3-1"), ("-1", "-1"), ("1-", "1-"),
            ("1-2-3", "1-2-3"), ("+1", "+1"), ("0,8192", "8192"), ("0x1", "0x1"), ("1.5", "1.5"),
            ("99999999999999999999", "99999999999999999999"),
        ])
    func `says which part of a list is none`(text: String, part: String) {
        #expect(throws: CPUListError(part: part)) { try CPUSet(parsing: text) }
    }

    @Test func `refuses a list that repeats itself without end`() {
        let text = Array(repeating: "0-8191", count: 2).joined(separator: ",")
        #expect(throws: CPUListError.self) { try CPUSet.parseList(text) }
    }

    @Test func `keeps the order and the repetitions of a request`() throws {
        #expect(try CPUSet.parseList("3,0-1,3") == [3, 0, 1, 3])
    }

    @Test(arguments: ["", "0", "0-1", "0-3,8", "0,2,4", "1-2,4-5,7", "8191"])
    func `writes the shortest list`(text: String) throws {
        #expect(try CPUSet(parsing: text).description == text)
    }

    @Test func `survives writing and reading, for every set of eight`() throws {
        for mask in 0..<256 {
            let set = CPUSet((0..<8).filter { mask >> $0 & 1 == 1 })
            #expect(try CPUSet(parsing: set.description) == set)
        }
    }

    @Test func `holds this process's processors, the current one among them`() throws {
        let allowed = try CPUSet.allowed()
        #expect(!allowed.isEmpty)
        #expect(allowed.contains(CoreThread.currentCPU))
    }

    @Test func `shows the bad part in its error`() {
        #expect(
            CPUListError(part: "a").description
                == "\"a\" is not a CPU list; write numbers and ranges below 8192, such as 0-3,8")
    }
}
