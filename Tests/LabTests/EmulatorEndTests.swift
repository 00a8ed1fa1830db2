import DrillCore
import Glibc
import Testing

/// A dead emulator is no blackhole.
@Suite(.serialized) struct LabEmulatorEndTests {
    private let link = LinkDirection(network: "main", from: "a", to: "b")
    private let treatment = LinkTreatment(
        .impair(Impairment(loss: .random(CorrelatedRatio(1)))))

    private func emulator(of supervisor: pid_t) throws -> pid_t {
        let children = try Programs.text("/proc/\(supervisor)/task/\(supervisor)/children")
        for child in children.split(separator: " ").compactMap({ pid_t($0) }) {
            let words = try Programs.text("/proc/\(child)/cmdline").split(separator: "\0")
            if words.contains("emulator") { return child }
        }
        throw Programs.Missing(what: "the emulator among the supervisor's children")
    }

    /// Attaches a loss of everything, strikes the emulator, and tells how long the link is dead after that.
    private func outage(_ name: String, after signal: Int32) throws -> Duration {
        var outage = Duration.zero
        try TestLab.with(name) { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.lab(.attach(link, treatment))
            #expect(try s.reach("a", lab.address("b")).isSilent)
            let emulator = try emulator(of: s.process)
            kill(emulator, signal)
            let struck = RunInstant.now
            while try s.reach("a", lab.address("b")).answered == 0 {
                try #require(.now - struck < .seconds(10), "the link is a blackhole")
            }
            outage = .now - struck
            #expect(try s.reach("a", lab.address("b")).isFull)
            // What went with it is healed, and a fresh one serves the next fault.
            try s.lab(.detach(link, treatment))
            try s.lab(.attach(link, treatment))
            #expect(try self.emulator(of: s.process) != emulator)
            #expect(try s.reach("a", lab.address("b")).isSilent)
            try s.lab(.detach(link, treatment))
            #expect(try s.reach("a", lab.address("b")).isFull)
        }
        return outage
    }

    private func path(_ id: String, _ from: HostName, _ to: HostName) -> ProbePath {
        ProbePath(
            id: id, link: LinkDirection(network: "main", from: from, to: to), traffic: .all,
            cast: .unicast, source: TestLab.addresses[from] ?? "",
            target: TestLab.addresses[to] ?? "", rate: 500, train: 1, size: 128)
    }

    @Test func `a delay that is healed loses nothing of what is on its way, and its device goes`()
        throws
    {
        try TestLab.with("drained") { (lab: TestLab) throws in
            let s = lab.supervisor
            let delay = LinkTreatment(.impair(Impairment(delay: .milliseconds(100))))
            try s.ask(.startPaths([path("there", "a", "b")]))
            try s.listen(for: .milliseconds(200))
            try s.lab(.attach(link, delay))
            try s.listen(for: .milliseconds(500))
            let asked = RunInstant.now
            let healed = try s.lab(.detach(link, delay))
            // It waits for nothing: the link is as before.
            #expect(healed.verdict == .restored && .now - asked < .milliseconds(60))
            #expect(try devices(of: s).contains("lane1"))
            try s.listen(for: .milliseconds(400))
            #expect(try !devices(of: s).contains("lane"))
            try s.ask(.stopPaths(["there"]))
            let samples = s.samples("there")
            let held = samples.filter {
                $0.sent > healed.interval.low - .milliseconds(100) && $0.sent < healed.interval.low
            }
            #expect(held.count > 20)
            #expect(samples.filter { $0.delay == nil }.count == 0)
        }
    }

    /// Of the switch.
    private func devices(of supervisor: Supervisor) throws -> String {
        try Programs.run([
            "/usr/bin/nsenter", "--net=/proc/\(supervisor.process)/ns/net", "/sbin/ip", "-o",
            "link",
        ]).output
    }

    @Test func `an emulator that is killed is noticed at once`() throws {
        // One look of 200 ms and the start of the program that looks; without the pidfd it would be a second more.
        #expect(try outage("emulator-killed", after: SIGKILL) < .milliseconds(900))
    }

    @Test func `an emulator that hangs is ended after a second`() throws {
        let outage = try outage("emulator-hangs", after: SIGSTOP)
        // Asked each 200 ms, with a second of patience, and the look as above.
        #expect(outage > .milliseconds(900) && outage < .seconds(4))
    }
}
