// Goal:   whenever a server is told to stop it is clear what that means, and who waits is told.

import Testing

@testable import Runtime

@Suite struct `A server's life` {
    @Test func `is recovery, service, drain, and an end at once for who cannot wait`() {
        var life = ServerLife()
        #expect(life.phase == .recovering)
        let mayServe = life.recovered()
        #expect(mayServe)
        #expect(life.phase == .serving)
        let answers = [life.toldToStop(), life.toldToStop(), life.toldToStop()]
        #expect(answers == [.drain, .endAtOnce, .endAtOnce])
    }

    @Test func `ends without service if the stop comes amid recovery`() {
        var life = ServerLife()
        let first = life.toldToStop()
        #expect(first == .cutRecovery)
        let mayServe = life.recovered()
        #expect(!mayServe)
        let isNews = life.failed()
        #expect(!isNews)
        let second = life.toldToStop()
        #expect(second == .endAtOnce)
    }

    @Test(arguments: [false, true])
    func `ends by itself if the store cannot be opened`(isRecovered: Bool) {
        var life = ServerLife()
        if isRecovered { _ = life.recovered() }
        let isNews = life.failed()
        #expect(isNews)
        let answer = life.toldToStop()
        #expect(answer == .endAtOnce)
    }

    /// Recovery was over, but a core could not begin: somebody still waits for the outcome.
    @Test func `tells of a failure behind a stop that cut nothing`() {
        var life = ServerLife()
        _ = life.recovered()
        let answer = life.toldToStop()
        #expect(answer == .drain)
        let isNews = life.failed()
        #expect(isNews)
    }
}

@Suite struct `Who starts and stops a server` {
    @Test func `goes on when the store is open, then when told to stop`() {
        let steering = Steering<Int>()
        #expect(steering.mayServe())
        steering.opened(7)
        guard case .opened(7) = steering.waitForOpening() else {
            Issue.record("not opened")
            return
        }
        let answer = steering.toldToStop()
        #expect(answer == .drain)
        steering.wake(for: answer)
        steering.waitForStop()
    }

    @Test func `does not wait for recovery once told to stop`() {
        let steering = Steering<Int>()
        steering.wake(for: steering.toldToStop())
        guard case .cut = steering.waitForOpening() else {
            Issue.record("not cut")
            return
        }
        #expect(!steering.mayServe())
        #expect(steering.toldToStop() == .endAtOnce)
    }

    @Test func `hears why the store cannot be opened`() {
        let steering = Steering<Int>()
        steering.failed(ServeError("no disk"))
        guard case .failed(let error) = steering.waitForOpening() else {
            Issue.record("not failed")
            return
        }
        #expect(error.description == "no disk")
    }
}

@Suite struct `A gate` {
    @Test func `that nobody opens is left when the time is over`() {
        let gate = Gate()
        let isOpen = gate.wait(withinSeconds: 0)
        #expect(!isOpen)
    }

    @Test func `that is open lets pass, however little time there is`() {
        let gate = Gate()
        gate.open()
        let isOpen = gate.wait(withinSeconds: 0)
        #expect(isOpen)
    }
}
