import DrillCore
import Glibc
import Testing

extension Supervisor {
    /// What became of the packets of a path so far.
    func samples(_ path: String) -> [ProbeSample] {
        events.flatMap { event -> [ProbeSample] in
            guard case .path(let bucket) = event, bucket.path == path else { return [] }
            return bucket.samples
        }
    }
}

@Suite(.serialized) struct PathTests {
    private func path(
        _ id: String, _ from: HostName, _ to: HostName, traffic: TrafficSelector = .all,
        cast: ProbePath.Cast = .unicast, rate: Double = 250, train: Int = 1, size: Int = 128
    ) -> ProbePath {
        ProbePath(
            id: id, link: LinkDirection(network: "main", from: from, to: to), traffic: traffic,
            cast: cast, source: TestLab.addresses[from] ?? "", target: TestLab.addresses[to] ?? "",
            rate: rate, train: train, size: size)
    }

    @Test func `packets of every kind cross a bare link, whole and once`() throws {
        try TestLab.with("paths", crossBareLink)
    }

    private func crossBareLink(_ lab: TestLab) throws {
        let supervisor = lab.supervisor
        let group = ProbePath.Cast.multicast(group: "224.0.0.18")
        let paths = [
            path("all", "a", "b"), path("tcp", "a", "b", traffic: .tcp(5432)),
            path("udp", "b", "a", traffic: .udp(53)),
            path("vrrp", "a", "client", traffic: .vrrp, cast: group),
            path("any group", "b", "client", cast: group),
            path("train", "client", "a", rate: 10, train: 20, size: 1400),
        ]
        let before = try supervisor.run("b", "cat", "/proc/net/snmp")
        try supervisor.ask(.startPaths(paths))
        try supervisor.listen(for: .seconds(1))
        try supervisor.ask(.stopPaths(paths.map(\.id)))
        for path in paths {
            let samples = supervisor.samples(path.id)
            var (whole, continuing) = (0, 0)
            for sample in samples {
                if sample.copies == 1, !sample.isDamaged { whole += 1 }
                if sample.continuesTrain { continuing += 1 }
            }
            #expect(samples.count >= 150 && whole == samples.count, "\(path.id)")
            #expect(continuing * path.train == samples.count * (path.train - 1), "\(path.id)")
            let delays = samples.compactMap(\.delay).sorted()
            let median = try #require(delays.dropFirst(delays.count / 2).first)
            #expect(median < .milliseconds(5), "\(path.id)")
        }
        // No kernel answered: no ICMP, no RST.
        let after = try supervisor.run("b", "cat", "/proc/net/snmp")
        for key in ["OutDestUnreachs", "OutRsts"] {
            let count = try #require(counter(key, after))
            #expect(counter(key, before) == count, "\(key)")
        }
    }

    /// From the pairs of lines of /proc/net/snmp.
    private func counter(_ name: String, _ text: String) -> Int? {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        for (names, values) in zip(lines, lines.dropFirst()) where names.first == values.first {
            if let index = names.firstIndex(where: { $0 == name }) { return Int(values[index]) }
        }
        return nil
    }

    private func lost(_ samples: [ProbeSample]) -> Int {
        var count = 0
        for sample in samples where sample.delay == nil { count += 1 }
        return count
    }

    private func sent(
        _ samples: [ProbeSample], after: RunInstant, before: RunInstant
    ) -> [ProbeSample] {
        samples.filter { $0.sent > after && $0.sent < before }
    }

    @Test func `a cut direction loses all of its packets, and no others`() throws {
        try TestLab.with("paths-cut", cutOneWay)
    }

    private func cutOneWay(_ lab: TestLab) throws {
        let supervisor = lab.supervisor
        let link = LinkDirection(network: "main", from: "a", to: "b")
        let begun = RunInstant.now
        try supervisor.ask(.startPaths([path("there", "a", "b"), path("back", "b", "a")]))
        try supervisor.listen(for: .milliseconds(400))
        let cut = try supervisor.lab(.attach(link, LinkTreatment(.sink))).interval
        try supervisor.listen(for: .milliseconds(400))
        let healed = try supervisor.lab(.detach(link, LinkTreatment(.sink))).interval
        try supervisor.listen(for: .milliseconds(400))
        try supervisor.ask(.stopPaths(["there", "back"]))
        let there = supervisor.samples("there")
        let before = sent(there, after: begun, before: cut.low)
        let during = sent(there, after: cut.high, before: healed.low)
        let after = sent(there, after: healed.high, before: .now)
        #expect(before.count > 50 && lost(before) == 0)
        #expect(during.count > 50 && lost(during) == during.count)
        #expect(after.count > 50 && lost(after) == 0)
        #expect(lost(supervisor.samples("back")) == 0)
    }

    @Test func `packets to a dead host are lost, and its next boot is joined`() throws {
        try TestLab.with("paths-boot", bootAgain)
    }

    private func bootAgain(_ lab: TestLab) throws {
        let supervisor = lab.supervisor
        try supervisor.ask(.startPaths([path("there", "a", "b"), path("back", "b", "a")]))
        try supervisor.listen(for: .milliseconds(300))
        try supervisor.lab(.silence("b"))
        let dead = try supervisor.lab(.kill("b")).interval.high
        lab.remember()
        try supervisor.listen(for: .milliseconds(300))
        try supervisor.lab(.boot("b"))
        let back = RunInstant.now + .milliseconds(20)
        lab.remember()
        try supervisor.listen(for: .milliseconds(400))
        try supervisor.ask(.stopPaths(["there", "back"]))
        let during = sent(
            supervisor.samples("there"), after: dead, before: dead + .milliseconds(200))
        #expect(during.count > 20 && lost(during) == during.count)
        for id in ["there", "back"] {
            let after = sent(supervisor.samples(id), after: back, before: .now)
            #expect(after.count > 50 && lost(after) == 0, "\(id)")
        }
        #expect(supervisor.samples("back").contains { $0.sent > dead } == true)
    }

    @Test func `a prober that is killed is told of, and the next path starts another`() throws {
        try TestLab.with("paths-killed", killProber)
    }

    private func killProber(_ lab: TestLab) throws {
        let supervisor = lab.supervisor
        try supervisor.ask(.startPaths([path("one", "a", "b")]))
        try supervisor.listen(for: .milliseconds(100))
        let prober = try #require(Self.process(under: supervisor.process))
        kill(prober, SIGKILL)
        let told = try supervisor.event { event -> String? in
            guard case .log(let text) = event else { return nil }
            return text
        }
        #expect(told == "the prober ended with 137")
        let failure = try supervisor.failure(of: .stopPaths(["one"]))
        #expect(failure.message == "the prober ended with 137")
        try supervisor.ask(.startPaths([path("two", "a", "b")]))
        try supervisor.listen(for: .milliseconds(300))
        try supervisor.ask(.stopPaths(["two"]))
        #expect(supervisor.samples("two").count > 20)
    }

    private static func process(under supervisor: pid_t) -> pid_t? {
        for name in Programs.names(in: "/proc") {
            guard let pid = pid_t(name), let line = try? Programs.text("/proc/\(pid)/cmdline"),
                line.hasPrefix("firedrill-agent\0prober"),
                let stat = try? Programs.text("/proc/\(pid)/stat"),
                stat.contains(") S \(supervisor) ")
            else { continue }
            return pid
        }
        return nil
    }
}
