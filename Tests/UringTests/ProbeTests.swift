// Goal:   where there can be no ring, the operator reads what is missing and what to change.

import Glibc
import IO
import Testing
import Uring

@Suite struct `The ring probe` {
    @Test func `finds all that we need on this kernel`() {
        #expect(throws: Never.self) { try RingProbe.check() }
    }

    @Test(
        arguments: [
            (.notImplemented, 0, ["container's seccomp", "6.1", "io_uring_setup"]),
            (.notPermitted, 1, ["io_uring_disabled is 1", "sysctl -w"]),
            (.notPermitted, 2, ["io_uring_disabled is 2", "sysctl -w"]),
            (.notPermitted, 0, ["refused", "seccomp"]),
            (.notPermitted, nil, ["refused", "seccomp"]),
            (.notAllowed, nil, ["refused", "seccomp"]),
            (.noMemory, nil, ["RLIMIT_MEMLOCK", "ulimit -l", "LimitMEMLOCK="]),
            (.invalid, nil, ["too old", "6.1"]),
            (.tooManyFiles, nil, ["RLIMIT_NOFILE", "ulimit -n"]),
            (KernelError(code: 23), nil, ["errno 23"]),
        ] as [(KernelError, Int?, [String])])
    func `explains every errno in one line`(error: KernelError, setting: Int?, words: [String]) {
        let text = RingProbe.explain(error, disabledSetting: setting)
        for word in words { #expect(text.contains(word)) }
        #expect(!text.contains("\n"))
    }

    @Test func `finds sends without a copy on Linux 6.2 at the latest`() {
        let numbers = RingProbe.kernelRelease().split { !$0.isNumber }.prefix(2).compactMap {
            Int($0)
        }
        let isRecent = numbers.count == 2 && numbers[0] * 1000 + numbers[1] >= 6002
        #expect(RingProbe.hasZeroCopy() || !isRecent)
    }

    @Test func `finds no such sends where there is no ring`() async {
        await #expect(processExitsWith: .success) {
            var limits = rlimit(rlim_cur: 0, rlim_max: 0)
            let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            #expect(status == 0 && !RingProbe.hasZeroCopy())
        }
    }

    @Test func `knows the kernel and its switch`() {
        #expect(RingProbe.kernelRelease().first?.isNumber == true)
        #expect((0...2).contains(RingProbe.disabled() ?? 0))
    }

    @Test func `tells of a ring that could not be opened`() async {
        await #expect(processExitsWith: .success) {
            var limits = rlimit(rlim_cur: 0, rlim_max: 0)
            let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            let error = #expect(throws: RingUnavailable.self) { try RingProbe.check() }
            #expect(status == 0 && error?.description.contains("RLIMIT_NOFILE") == true)
        }
    }
}

@Suite struct `A ring on trial` {
    @Test func `tells what it was granted, and what it was not, by name`() throws {
        let facts = try RingProbe.facts(entries: 8)
        #expect(facts.submissionEntries == 8)
        #expect(facts.completionEntries == 64)
        #expect(Set(facts.setupFlagNames).isSuperset(of: ["CQSIZE", "CLAMP", "SUBMIT_ALL"]))
        #expect(facts.setupFlagNames.contains("DEFER_TASKRUN") == facts.defersTaskWork)
        #expect(Set(facts.featuresPresent).isSuperset(of: ["NODROP", "FAST_POLL", "EXT_ARG"]))
        #expect(Set(facts.featuresPresent).isDisjoint(with: facts.featuresMissing))
        #expect(facts.featuresPresent.count + facts.featuresMissing.count == 18)
    }

    @Test func `lacks no operation on a kernel that we run on`() {
        #expect(RingProbe.missingOperations() == [])
    }

    @Test func `that cannot be opened is an error`() async {
        await #expect(processExitsWith: .success) {
            var limits = rlimit(rlim_cur: 0, rlim_max: 0)
            let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
            let error = #expect(throws: KernelError.self) { try RingProbe.facts(entries: 8) }
            #expect(status == 0 && error == .tooManyFiles)
        }
    }
}
