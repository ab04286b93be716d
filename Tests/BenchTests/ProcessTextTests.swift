// Goal:   CPU and memory are read from the right field of the right line.
// Method: texts as Linux 6.1 and 6.18 write them, and broken ones.

import BenchMeasure
import Testing

@Suite struct `Text from proc` {
    @Test func `tells the time of a thread from schedstat`() {
        #expect(ProcessText.cpuNanoseconds(schedstat: "62413 67920 1\n") == 62413)
        #expect(ProcessText.cpuNanoseconds(schedstat: "") == nil)
    }

    @Test func `counts the fields of stat behind a name with spaces and parentheses`() {
        let text = "42 (a ) b (c) R 1 2 3 4 5 6 7 8 9 10 700 70 0 0 20 0 1 0 5 6"
        #expect(ProcessText.cpuTicks(stat: text) == 770)
        #expect(ProcessText.cpuTicks(stat: "42 (a) R 1 2") == nil)
        #expect(ProcessText.cpuTicks(stat: "nothing") == nil)
    }

    @Test func `tells busy and stolen time of the machine`() {
        let text = "cpu  100 10 1000 9999 888 1 2 77 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        let machine = ProcessText.machine(stat: text)
        #expect(machine?.busy == 1113)
        #expect(machine?.stolen == 77)
        #expect(ProcessText.machine(stat: "cpu0 1 2 3\n") == nil)
        #expect(ProcessText.machine(stat: "cpu  1 2 3\n") == nil)
    }

    @Test func `tells sizes in bytes and lists as they stand`() {
        let status = "Name:\tmillrace\nRssAnon:\t    1234 kB\nCpus_allowed_list:\t0\n"
        #expect(ProcessText.bytes(of: "RssAnon", status: status) == 1234 << 10)
        #expect(ProcessText.bytes(of: "VmRSS", status: status) == nil)
        #expect(ProcessText.bytes(of: "Name", status: status) == nil)
        #expect(ProcessText.value(of: "Cpus_allowed_list", status: status) == "0")
    }

    @Test func `finds the innermost mount of a path`() {
        let text = """
            21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
            22 21 0:5 / /srv rw - tmpfs tmpfs rw
            23 22 7:0 / /srv/data rw,relatime shared:2 master:1 - xfs /dev/loop0 rw
            """
        func mount(_ path: String) -> ProcessText.Mount? {
            ProcessText.mount(of: path, mountInfo: text)
        }
        #expect(mount("/srv/data/x")?.type == "xfs")
        #expect(mount("/srv/data")?.device == "7:0")
        #expect(mount("/srv/database")?.type == "tmpfs")
        #expect(mount("/home")?.options == "rw,relatime,rw,discard")
        #expect(ProcessText.mount(of: "/", mountInfo: "broken line") == nil)
    }
}

@Suite struct `The log of a server` {
    @Test func `tells the port once the line is whole`() {
        let line = "2026-11-23T18:00:00Z notice listening on http://127.0.0.1:4711"
        let whole = line + " address=127.0.0.1:4711\n"
        #expect(ServerLog.port(in: whole) == 4711)
        #expect(ServerLog.port(in: String(whole.dropLast())) == nil)
        #expect(ServerLog.port(in: line + "\n") == nil)
    }

    @Test func `keeps the address of metrics apart`() {
        let text = """
            starting cores=1
            metrics listening address=127.0.0.1:8081
            listening address=[::1]:9090
            listening address=127.0.0.1:9091

            """
        #expect(ServerLog.port(in: text) == 9090)
    }
}
