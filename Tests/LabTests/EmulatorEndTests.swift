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
