import DrillCore
import Glibc
import Testing

/// The agent of a real host, on a machine that has queues, filters, addresses and routes of its own: whatever happens, all
/// of that is there afterwards, and nothing else.
@Suite(.serialized) struct HostAgentTests {
    private static let changes: [MachineChange] = [
        .cut(PeerTraffic(interface: "foreign0", direction: .arriving, peers: ["192.0.2.2"])),
        .cut(PeerTraffic(interface: "foreign0", direction: .leaving, peers: ["192.0.2.2"])),
        .lower(interface: "foreign0"),
    ]

    private func begin(_ machine: Machine, lease: Duration = .seconds(20)) throws
        -> HostAgentProcess
    {
        let agent = try HostAgentProcess(on: machine)
        try agent.ask(.hello(version: "1"))
        try agent.ask(.begin(agent.run, lease: lease))
        return agent
    }

    private func expectPristine(
        _ machine: Machine, _ before: String, _ agent: HostAgentProcess,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let deadline = RunInstant.now + .seconds(10)
        var left: [String] = []
        repeat {
            left = try machine.changes(since: before)
            if access("/var/tmp/firedrill-\(agent.run)", F_OK) == 0 { left.append("the folder") }
            left += machine.processes().map { "process \($0)" }
            if left.isEmpty { break }
            usleep(20_000)
        } while RunInstant.now < deadline
        #expect(left == [], sourceLocation: location)
        #expect(try machine.hearsNeighbour(), sourceLocation: location)
    }

    @Test(arguments: changes, [true, false])
    func `a change takes effect and is taken back`(_ change: MachineChange, hasClassifier: Bool)
        throws
    {
        let machine = try Machine(hasClassifier: hasClassifier)
        let before = try machine.dump()
        #expect(try machine.hearsNeighbour())
        let agent = try begin(machine)
        try agent.ask(.perform(change))
        #expect(try !machine.hearsNeighbour())
        // The foreign tree is as it was while the change is there, too.
        let gone = try machine.changes(since: before).filter { $0.hasPrefix("- ") }
        if case .cut = change { #expect(gone == []) }
        #expect(
            try agent.refusal(of: .perform(change)).message == "this change is in effect already")
        #expect(try agent.ask(.undo(change)).verdict == .restored)
        #expect(try machine.changes(since: before) == [])
        #expect(try machine.hearsNeighbour())
        #expect(try agent.ask(.finish).detail["left_behind"] == "")
        #expect(agent.waitForEnd() == 0)
        try expectPristine(machine, before, agent)
    }

    @Test func `only the traffic that is named is cut, and two cuts come and go in any order`()
        throws
    {
        let machine = try Machine(hasClassifier: false)
        let before = try machine.dump()
        let agent = try begin(machine)
        let vrrp = MachineChange.cut(
            PeerTraffic(
                interface: "foreign0", direction: .arriving, peers: ["192.0.2.2"], traffic: .vrrp))
        try agent.ask(.perform(vrrp))
        #expect(try machine.hearsNeighbour())
        try agent.ask(.perform(Self.changes[0]))
        #expect(try !machine.hearsNeighbour())
        #expect(try agent.ask(.undo(vrrp)).verdict == .restored)
        #expect(try !machine.hearsNeighbour())
        #expect(try agent.ask(.undo(Self.changes[0])).verdict == .restored)
        #expect(try machine.changes(since: before) == [])
        agent.closeInput()
        #expect(agent.waitForEnd() == 0)
        try expectPristine(machine, before, agent)
    }

    enum Death: CaseIterable { case agent, watchdog, controller, stopped }

    @Test(arguments: Death.allCases)
    func `whoever dies, all is taken back`(_ death: Death) throws {
        let machine = try Machine(hasClassifier: false)
        let before = try machine.dump()
        let mark = "/var/tmp/mark-\(UInt32.random(in: 0..<UInt32.max))"
        defer { unlink(mark) }
        let agent = try begin(machine, lease: death == .stopped ? .milliseconds(700) : .seconds(20))
        for change in Self.changes { try agent.ask(.perform(change)) }
        try agent.ask(.perform(.command(["/usr/bin/touch", mark], undo: ["/bin/rm", mark])))
        #expect(access(mark, F_OK) == 0)
        let watchdog = try #require(agent.watchdog)
        switch death {
        case .agent: kill(agent.process, SIGKILL)
        case .watchdog: kill(watchdog, SIGKILL)
        case .controller: agent.closeInput()
        case .stopped: kill(agent.process, SIGSTOP)
        }
        if death == .watchdog {
            let deadline = RunInstant.now + .seconds(5)
            while try machine.changes(since: before) != [], RunInstant.now < deadline {
                usleep(10_000)
            }
            #expect(try machine.changes(since: before) == [])
            #expect(try agent.reply(to: .perform(Self.changes[0])).failure != nil)
            agent.closeInput()
        }
        _ = agent.waitForEnd()
        try expectPristine(machine, before, agent)
        #expect(access(mark, F_OK) != 0)
    }

    @Test func `what others changed meanwhile is left to them`() throws {
        let machine = try Machine()
        let before = try machine.dump()
        let agent = try begin(machine)
        // A virtual address moves away while the link is down: it does not come back with the link.
        try agent.ask(.perform(Self.changes[2]))
        try machine.here.shell("ip address del 192.0.2.77/32 dev foreign0")
        #expect(try agent.ask(.undo(Self.changes[2])).verdict == .restored)
        let after = try machine.changes(since: before) {
            $0.contains("192.0.2.77") || $0.contains("valid_lft")
        }
        #expect(
            after != []
                && after.allSatisfy { $0.contains("192.0.2.77") || $0.contains("valid_lft") })
        let moved = try machine.dump()
        // Somebody set it up before us.
        try agent.ask(.perform(Self.changes[2]))
        try machine.here.shell(
            "set -e; ip link set foreign0 up; ip route add 198.51.100.0/24 via 192.0.2.2; ip route add 203.0.113.0/24 via 192.0.2.2 metric 50 table 77; ip -6 route add 2001:db8:1::/48 via 2001:db8::2"
        )
        #expect(try agent.ask(.undo(Self.changes[2])).verdict == .superseded)
        #expect(try machine.changes(since: moved) == [])
        // Somebody removed our filters, and left our device.
        try agent.ask(.perform(Self.changes[0]))
        try machine.here.shell("tc filter del dev foreign0 ingress prio 64799")
        #expect(try agent.ask(.undo(Self.changes[0])).verdict == .superseded)
        #expect(try machine.changes(since: moved) == [])
        agent.closeInput()
        #expect(agent.waitForEnd() == 0)
        try expectPristine(machine, moved, agent)
    }

    @Test func `a lease that is over takes all back, and nothing is changed any more`() throws {
        let machine = try Machine()
        let before = try machine.dump()
        let agent = try begin(machine, lease: .milliseconds(600))
        try agent.ask(.perform(Self.changes[1]))
        #expect(try !machine.hearsNeighbour())
        usleep(1_200_000)
        #expect(try machine.changes(since: before) == [])
        #expect(try agent.refusal(of: .renew).message.hasPrefix("cannot renew: the lease is over"))
        #expect(try agent.reply(to: .perform(Self.changes[0])).failure != nil)
        #expect(try machine.changes(since: before) == [])
        agent.closeInput()
        #expect(agent.waitForEnd() == 0)
        try expectPristine(machine, before, agent)
    }

    @Test func `the interface of the controller's own connection is refused`() throws {
        let machine = try Machine()
        let connection = "192.0.2.2 50000 192.0.2.1 22"
        let agent = try HostAgentProcess(on: machine, connection: connection)
        #expect(try agent.ask(.hello(version: "1")).detail["management"] == "foreign0")
        try agent.ask(.begin(agent.run, lease: .seconds(5)))
        for change in Self.changes {
            let refusal = try agent.refusal(of: .perform(change))
            #expect(refusal.kind == .capability)
            #expect(
                refusal.message
                    == "foreign0 carries the controller's own connection (\(connection)); start the agent with --allow-management to change it all the same"
            )
        }
        agent.closeInput()
        #expect(agent.waitForEnd() == 0)
        let second = try HostAgentProcess(
            on: machine, ["--allow-management"], connection: connection)
        try second.ask(.begin(second.run, lease: .seconds(5)))
        try second.ask(.perform(Self.changes[1]))
        #expect(try !machine.hearsNeighbour())
        second.closeInput()
        #expect(second.waitForEnd() == 0)
        #expect(try machine.hearsNeighbour())
    }

    @Test func `what an agent cannot do is a capability failure`() throws {
        let machine = try Machine()
        let before = try machine.dump()
        let agent = try begin(machine)
        let arriving = PeerTraffic(
            interface: "foreign0", direction: .arriving, peers: ["192.0.2.2"])
        let delay = Impairment(delay: .milliseconds(5))
        #expect(try agent.refusal(of: .perform(.impair(arriving, delay))).kind == .capability)
        var sixth = arriving
        sixth.peers = ["2001:db8::2"]
        #expect(try agent.refusal(of: .perform(.cut(sixth))).kind == .capability)
        #expect(try agent.refusal(of: .perform(.lower(interface: "absent"))).errno == ENODEV)
        agent.closeInput()
        #expect(agent.waitForEnd() == 0)
        try expectPristine(machine, before, agent)
    }
}
