import DrillCore
import Testing

/// Hosts: what they are, and what faults of the whole host do to them.
@Suite(.serialized) struct LabHostTests {
    @Test func `hosts reach one another and have a kernel state of their own`() throws {
        try TestLab.with("hosts") { (lab: TestLab) throws in
            let s = lab.supervisor
            for (from, to) in [("a", "b"), ("b", "client"), ("client", "a")]
                as [(HostName, HostName)]
            {
                #expect(try s.reach(from, lab.address(to)).isFull)
            }
            #expect(try s.run("b", "/bin/hostname") == "b")
            #expect(try s.run("b", "/bin/ls", "/tmp", "/dev/shm") == "/dev/shm:\n\n/tmp:")
            #expect(try s.run("b", "/bin/sh", "-c", "echo $$") != "1")
            #expect(try s.run("b", "/bin/cat", "/proc/1/comm") == "host-init")
            #expect(try s.run("b", "/bin/ls", "/sys/class/net") == "eth0\nlo")
            #expect(
                try s.run("client", "/bin/cat", "/proc/sys/net/ipv4/ip_local_port_range")
                    == "1024\t65535")
            #expect(
                try s.run("a", "/bin/cat", "/proc/sys/net/ipv4/ip_local_port_range")
                    != "1024\t65535")
            #expect(
                try s.run("a", "/sbin/ip", "-d", "link", "show", "eth0").contains("gso_max_segs 1 ")
            )
            // One thread: namespaces belong to threads.
            #expect(Programs.names(in: "/proc/\(s.process)/task").count == 1)
        }
    }

    @Test func `a silent host answers nobody and sees nothing of it`() throws {
        try TestLab.with("silence") { (lab: TestLab) throws in
            let s = lab.supervisor
            let reply = try s.lab(.silence("a"))
            #expect(reply.interval.low < reply.interval.high)
            #expect(reply.interval.high - reply.interval.low < .milliseconds(50))
            #expect(try s.reach("b", lab.address("a")).isSilent)
            #expect(try s.reach("client", lab.address("a")).isSilent)
            #expect(try s.reach("a", lab.address("b")).isSilent)
            #expect(try s.reach("client", lab.address("b")).isFull)
            #expect(try s.run("a", "/sbin/ip", "link", "show", "eth0").contains("LOWER_UP"))
            #expect(
                try s.failure(of: .perform(.lab(.silence("a")))).message
                    == "host a is silent already")
            try s.lab(.unsilence("a"))
            #expect(try s.reach("b", lab.address("a")).isFull)
            #expect(try s.lab(.unsilence("a")).verdict == .notNeeded)
        }
    }

    @Test func `a killed host comes back with a fresh kernel and what the system gives it`() throws
    {
        try TestLab.with("kill") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            try s.run("a", "/sbin/ip", "address", "add", "10.77.0.10/24", "dev", "eth0")
            try s.run(
                "a", "/bin/sh", "-c", "echo kept > /run/firedrill/web/kept; echo gone > /tmp/gone")
            let mac = try s.run("a", "/bin/cat", "/sys/class/net/eth0/address")
            #expect(try s.reach("b", "10.77.0.10").isFull)

            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            for from in ["b", "client"] as [HostName] {
                #expect(try s.reach(from, lab.address("a")).isSilent)
            }
            #expect(
                try s.failure(of: .execute("a", ["/bin/true"], timeout: .seconds(1))).message
                    == "host a is dead")
            #expect(
                try s.failure(of: .perform(.lab(.kill("a")))).message == "host a is dead already")

            s.forgetEvents()
            try s.lab(.boot("a"))
            lab.remember()
            let bootID = try s.event { if case .booted("a", let id, _) = $0 { id } else { nil } }
            #expect(bootID == "a#2")
            try s.ask(.awaitReady("a", "web", .tcp(port: 80), timeout: .seconds(5)))
            #expect(try s.reach("b", lab.address("a")).isFull)
            #expect(try s.reach("b", "10.77.0.10").isSilent)
            let isGone = try s.event {
                if case .address("a", "10.77.0.10", false, _) = $0 { true } else { nil }
            }
            #expect(isGone == true)
            #expect(try s.run("a", "/bin/cat", "/sys/class/net/eth0/address") == mac)
            #expect(try s.run("a", "/bin/cat", "/run/firedrill/web/kept") == "kept")
            #expect(try s.run("a", "/bin/ls", "/tmp") == "")
            #expect(try s.lab(.boot("a")).verdict == .notNeeded)
        }
    }

    @Test func `an established connection does not outlive the kill of its host`() throws {
        try TestLab.with("sockets") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            for _ in 0..<3 {
                try s.ask(
                    .execute(
                        "b", ["/bin/bash", "-c", "exec 3<>/dev/tcp/10.77.0.11/80"],
                        timeout: .seconds(5)))
            }
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            try s.lab(.boot("a"))
            lab.remember()
            #expect(!(try s.run("a", "/bin/cat", "/proc/net/tcp").contains("0B004D0A:0050")))
        }
    }

    @Test func `a frozen host that is not silent still answers for its kernel, and thaws`() throws {
        try TestLab.with("freeze") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            try s.lab(.freeze("a"))
            let frozen = try s.reach("b", lab.address("a"))
            #expect(frozen.arp > 0 && frozen.tcp > 0)
            let answer = try s.failure(
                of: .awaitReady("b", "none", .http(url: "http://10.77.0.11/"), timeout: .seconds(1))
            )
            #expect(answer.message == "host b has no service none")
            #expect(
                try s.failure(of: .execute("a", ["/bin/true"], timeout: .seconds(1))).message
                    == "host a is frozen")
            s.forgetEvents()
            try s.lab(.thaw("a"))
            // The dump after a thaw is fresh evidence of what the host holds.
            let holds = try s.event {
                if case .address("a", "10.77.0.11", true, _) = $0 { true } else { nil }
            }
            #expect(holds == true)
            try s.ask(
                .awaitReady("a", "web", .http(url: "http://10.77.0.11/"), timeout: .seconds(5)))
        }
    }

    @Test func `a partition stops one direction of one link`() throws {
        try TestLab.with("partition") { (lab: TestLab) throws in
            let s = lab.supervisor
            let link = LinkDirection(network: "main", from: "a", to: "b")
            try s.lab(.attach(link, LinkTreatment(.sink)))
            // Either question needs both directions of a and b; the client's do not touch the link.
            #expect(try s.reach("a", lab.address("b")).isSilent)
            #expect(try s.reach("b", lab.address("a")).isSilent)
            #expect(try s.reach("client", lab.address("a")).isFull)
            #expect(try s.reach("client", lab.address("b")).isFull)
            // b's own requests still reach a: a learns b's address from them.
            try s.run("a", "/sbin/ip", "neighbour", "flush", "all")
            _ = try s.reach("b", lab.address("a"))
            #expect(try s.run("a", "/sbin/ip", "neighbour").contains(lab.address("b")))
            // Two of a kind hold until both are taken back.
            try s.lab(.attach(link, LinkTreatment(.sink)))
            try s.lab(.detach(link, LinkTreatment(.sink)))
            #expect(try s.reach("a", lab.address("b")).isSilent)
            try s.lab(.detach(link, LinkTreatment(.sink)))
            #expect(try s.reach("a", lab.address("b")).isFull)
            #expect(try s.lab(.detach(link, LinkTreatment(.sink))).verdict == .notNeeded)
        }
    }

    @Test func `a pulled cable takes the carrier and its return brings it back`() throws {
        try TestLab.with("carrier") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.lab(.carrier("a", "main", up: false))
            #expect(try s.run("a", "/sbin/ip", "link", "show", "eth0").contains("NO-CARRIER"))
            #expect(try s.reach("b", lab.address("a")).isSilent)
            try s.lab(.carrier("a", "main", up: true))
            #expect(try s.run("a", "/sbin/ip", "link", "show", "eth0").contains("LOWER_UP"))
            #expect(try s.reach("b", lab.address("a")).isFull)
            #expect(
                try s.failure(of: .perform(.lab(.carrier("a", "storage", up: false)))).message
                    == "host a is not on network storage")
        }
    }

    @Test func `address events come at once and with a narrow interval`() throws {
        try TestLab.with("addresses") { (lab: TestLab) throws in
            let s = lab.supervisor
            var widths: [Duration] = []
            for _ in 0..<10 {
                for present in [true, false] {
                    s.forgetEvents()
                    let before = RunInstant.now
                    try s.run(
                        "b", "/sbin/ip", "address", present ? "add" : "del", "10.77.0.10/24", "dev",
                        "eth0")
                    let after = RunInstant.now
                    let interval = try s.event { event -> InstantInterval? in
                        if case .address("b", "10.77.0.10", present, let interval) = event {
                            interval
                        } else {
                            nil
                        }
                    }
                    let seen = try #require(interval)
                    #expect(seen.low < after && seen.high > before)
                    widths.append(seen.high - seen.low)
                }
            }
            widths.sort()
            #expect(widths[widths.count / 2] < .milliseconds(10))
            print("width of an address event, median: \(widths[widths.count / 2])")
        }
    }
}
