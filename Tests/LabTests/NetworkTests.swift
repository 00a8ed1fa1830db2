import DrillCore
import Glibc
import Testing

/// Hosts on several networks, and load.
@Suite(.serialized) struct LabNetworkTests {
    private func twoNetworks(_ lab: TestLab) -> LabSpec {
        var spec = lab.spec
        spec.networks.append(Network(name: "heartbeat", subnet: "10.78.0.0/24"))
        for index in spec.hosts.indices where spec.hosts[index].name != "client" {
            spec.hosts[index].ports.append(
                LabPort(network: "heartbeat", address: "10.78.0.1\(index + 1)", prefixLength: 24))
        }
        return spec
    }

    @Test func `a fault on one network leaves the other alone, and silence takes both`() throws {
        let lab = try TestLab("networks")
        let s = lab.supervisor
        try s.ask(.build(twoNetworks(lab)))
        lab.remember()
        #expect(try s.reach("a", "10.78.0.12").isFull)
        for from in ["a", "b"] as [HostName] {
            let to: HostName = from == "a" ? "b" : "a"
            try s.lab(
                .attach(
                    LinkDirection(network: "heartbeat", from: from, to: to), LinkTreatment(.sink)))
        }
        #expect(try s.reach("a", "10.78.0.12").isSilent)
        #expect(try s.reach("a", lab.address("b")).isFull)
        try s.lab(.silence("b"))
        #expect(try s.reach("a", lab.address("b")).isSilent)
        try s.lab(.kill("b"))
        try s.lab(.boot("b"))
        lab.remember()
        #expect(try s.reach("a", lab.address("b")).isFull)
        // The boot ends the silence, and no other fault.
        #expect(try s.reach("a", "10.78.0.12").isSilent)
        for from in ["a", "b"] as [HostName] {
            let to: HostName = from == "a" ? "b" : "a"
            try s.lab(
                .detach(
                    LinkDirection(network: "heartbeat", from: from, to: to), LinkTreatment(.sink)))
        }
        #expect(try s.reach("a", "10.78.0.12").isFull)
        #expect(try s.ask(.teardown).detail["left_behind"] == "")
        #expect(s.waitForEnd() == 0)
        try lab.expectNothingLeft()
    }

    @Test func `load runs in the host's network, outlives its host, and tells how it ended`() throws
    {
        try TestLab.with("load") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            let plan = LoadPlan(
                seed: 1,
                streams: [
                    LoadStream(
                        name: "web/fresh/read", client: "http",
                        parameters: ["url": "http://10.77.0.11/"], lane: .fresh, kind: .read,
                        rate: 200, arrival: .constant, timeout: .milliseconds(250),
                        slow: .milliseconds(250), connections: 80, stable: .seconds(1), k: 1,
                        leastSent: 100)
                ], output: "\(lab.logs)/load.ops")
            try s.ask(.startLoad("load", "client", .run(plan)))
            #expect(
                try s.failure(of: .startLoad("load", "client", .run(plan))).message
                    == "load load is running already")
            try s.listen(for: .seconds(1))
            let before = try #require(progress(s))
            #expect(before.good > 50)
            #expect(before.decided == before.good)
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            try s.listen(for: .seconds(1))
            let during = try #require(progress(s))
            #expect(during.decided - during.good > 50)
            try s.ask(.load("load", .stop(at: .now)))
            let finished = try s.event { event -> Bool? in
                if case .load("load", .finished) = event { true } else { nil }
            }
            #expect(finished == true)
            #expect(access("\(lab.logs)/load.ops", R_OK) == 0)

            // One that cannot write its file is told as failed, beside one that works.
            try s.ask(.startLoad("second", "client", .run(plan)))
            try s.listen(for: .milliseconds(200))
            lab.remember()
            try s.ask(
                .startLoad(
                    "third", "b", .run(LoadPlan(seed: 1, streams: [], output: "/nowhere/x"))))
            let failed = try s.event { event -> Bool? in
                if case .load("third", .failed) = event { true } else { nil }
            }
            #expect(failed == true)
        }
    }

    private func progress(_ supervisor: Supervisor) -> StreamProgress? {
        supervisor.events.reversed().lazy.compactMap { event -> StreamProgress? in
            if case .load("load", .progress(let streams, _)) = event { streams.first } else { nil }
        }.first
    }
}
