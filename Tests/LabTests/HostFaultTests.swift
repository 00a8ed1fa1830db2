import DrillCore
import FoundationEssentials
import Glibc
import Testing

/// What faults take of a host: seen in effect, taken back, and nothing left of it.
@Suite(.serialized) struct LabHostFaultTests {
    /// In effect or not, and the sentence.
    private func look(
        _ s: Supervisor, _ operation: FaultOperation
    ) throws -> (proven: String?, sentence: String) {
        let reply = try s.ask(.inspect(operation))
        return (reply.detail["proven"], reply.output ?? "")
    }

    private func helpers(_ s: Supervisor, _ host: HostName) throws -> Int {
        try s.run(host, "/bin/ps", "ax", "-o", "args").split(separator: "\n")
            .count { $0.contains("firedrill-agent stress") }
    }

    @Test func `stress of the CPUs is wanted by as many workers as were asked for, and ends`()
        throws
    {
        try TestLab.with("cpu") { (lab: TestLab) throws in
            let s = lab.supervisor
            let half = HostOperation.beginStress(.cpu(workers: 1, load: 0.5))
            let full = HostOperation.beginStress(.cpu(workers: 3, load: 1))
            try s.on("a", half)
            try s.on("a", full)
            #expect(
                try s.failure(of: .perform(.host("a", full))).message
                    == "host a has this fault already")
            for _ in 0..<2 {
                for operation in [half, full] {
                    let (proven, sentence) = try look(s, .host("a", operation))
                    #expect(proven == "true", "\(sentence)")
                }
            }
            let (_, sentence) = try look(s, .host("a", full))
            #expect(sentence.hasPrefix("3 workers got "))
            #expect(sentence.contains(", asked 3.00, over "), "\(sentence)")
            #expect(try helpers(s, "a") == 2)
            #expect(try helpers(s, "b") == 0)

            // A host that hangs, hangs with its load.
            try s.lab(.freeze("a"))
            try s.listen(for: .milliseconds(300))
            #expect(try look(s, .host("a", full)).proven == "false")
            try s.lab(.thaw("a"))

            try s.on("a", .endStress(.cpu(workers: 3, load: 1)))
            #expect(try helpers(s, "a") == 1)
            #expect(try look(s, .host("a", full)).sentence == "host a has no such fault")
            try s.on("a", .endStress(.cpu(workers: 1, load: 0.5)))
            #expect(try helpers(s, "a") == 0)
        }
    }

    @Test func `a killed host takes its load with it, and the heal finds nothing to end`() throws {
        try TestLab.with("cpukill") { (lab: TestLab) throws in
            let s = lab.supervisor
            let operation = HostOperation.beginStress(.cpu(workers: 0, load: 0.2))
            try s.on("a", operation)
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            #expect(
                try look(s, .host("a", operation)).sentence
                    == "host a was killed, and the helper with it")
            try s.on("a", .endStress(.cpu(workers: 0, load: 0.2)))
            try s.lab(.boot("a"))
            lab.remember()
            #expect(try helpers(s, "a") == 0)
        }
    }

    @Test func `memory is held, and never the last tenth of it`() throws {
        try TestLab.with("memory") { (lab: TestLab) throws in
            let s = lab.supervisor
            let operation = HostOperation.beginStress(.memory(bytes: 96_000_000))
            try s.on("a", operation)
            let (proven, sentence) = try look(s, .host("a", operation))
            #expect(proven == "true")
            #expect(sentence.contains(", asked 96 MB; "), "\(sentence)")
            let status = try s.run("a", "/bin/ps", "ax", "-o", "rss=,args=")
            let held = status.split(separator: "\n").filter { $0.contains("stress memory") }
                .compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
            #expect(held.count == 1 && held.allSatisfy { (93_750..<200_000).contains($0) })
            let victim = try s.run(
                "a", "/bin/sh", "-c", "cat /proc/$(pgrep -f 'stress memor[y]')/oom_score_adj")
            #expect(victim == "1000")
            try s.on("a", .endStress(.memory(bytes: 96_000_000)))
            #expect(try helpers(s, "a") == 0)

            let all = HostOperation.beginStress(.memory(bytes: 1 << 50))
            let failure = try s.failure(of: .perform(.host("a", all)))
            #expect(failure.kind == .capability)
            #expect(failure.message.contains("a tenth of it stays free"), "\(failure)")
            #expect(try helpers(s, "a") == 0)
        }
    }

    @Test func `a file system of the host is filled to the last byte, and emptied`() throws {
        try TestLab.with("fill") { (lab: TestLab) throws in
            let s = lab.supervisor
            // Small, so that the machine's memory does not matter.
            try s.run("a", "/bin/mount", "-o", "remount,size=64m", "/tmp")
            let fill = DiskFill(folder: "/tmp", amount: .used(1))
            let operation = HostOperation.fillDisk(fill)
            try s.on("a", operation)
            let (proven, sentence) = try look(s, .host("a", operation))
            #expect(proven == "true")
            #expect(
                sentence
                    == "a file of 67.1 MB in /tmp, whose file system is 100.0 % used, asked 100.0 %"
            )
            let full = try s.ask(
                .execute("a", ["/bin/dd", "if=/dev/zero", "of=/tmp/x"], timeout: .seconds(5)))
            #expect(full.status != 0)
            #expect(full.output?.contains("No space left on device") == true)
            try s.on("a", .emptyDisk(fill))
            try s.run("a", "/bin/dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=32")
            #expect(try s.run("a", "/bin/ls", "-A", "/tmp") == "x")
        }
    }

    @Test func `a disk that cannot be filled is refused with the figures, and nothing is left`()
        throws
    {
        try TestLab.with("unfillable") { (lab: TestLab) throws in
            let s = lab.supervisor
            let cases: [(String, DiskFill.Amount, String)] = [
                ("/nowhere", .bytes(1000), "host a: there is no folder /nowhere"),
                ("/etc/hostname", .bytes(1000), "host a: there is no folder /etc/hostname"),
                ("/proc", .bytes(1_000_000), ""),
                (
                    "/var/tmp", .used(0.99),
                    "of a file system that the lab does not own, 5 % stay free"
                ),
                ("/", .bytes(1 << 50), "of a file system that the lab does not own, 5 % stay free"),
                ("/run/firedrill", .used(0.97), "5 % stay free"),
                ("/run", .bytes(1 << 50), ""),
                ("/", .used(0.0001), " used already, asked 0.0 %"),
            ]
            for (folder, amount, message) in cases {
                let fill = HostOperation.fillDisk(DiskFill(folder: folder, amount: amount))
                let failure = try s.failure(of: .perform(.host("a", fill)))
                #expect(failure.message.contains(message), "\(folder): \(failure.message)")
                #expect(try helpers(s, "a") == 0)
            }
            try s.run("a", "/bin/mount", "-o", "remount,ro", "/dev/shm")
            let fill = DiskFill(folder: "/dev/shm", amount: .bytes(1000))
            #expect(
                try s.failure(of: .perform(.host("a", .fillDisk(fill)))).message
                    == "host a: open /dev/shm: Read-only file system")
        }
    }

    @Test func `a helper ends when nobody hears it, and when its time is over`() throws {
        let agent = try Programs.agent
        let begun = RunInstant.now
        let result = try Programs.run([agent, "stress", "cpu", "300", "1", "0.1"])
        #expect(result.output == "ready 1\n")
        #expect(.now - begun < .seconds(10))
        // `head` ends after the first line.
        let piped = try Programs.run(
            ["/bin/sh", "-c", "\(agent) stress memory 600000 1000000 0 | head -n 1"])
        #expect(piped.output == "ready 1000000\n")
    }

    // MARK: clock

    private func clockService(_ run: [String]) -> ServiceInstance {
        var instance = ServiceInstance(directory: "/run/firedrill/clock", run: run)
        instance.preparations = [.clock]
        return instance
    }

    /// Prints the second once in 20 ms.
    private let teller = ["/bin/sh", "-c", "while true; do date +%s; sleep 0.02; done"]

    private func seconds(_ lab: TestLab) throws -> [Int] {
        try lab.log("a", "clock").split(separator: "\n").compactMap { line in
            line.split(separator: " ").last.flatMap { Int($0) }
        }
    }

    @Test func `a service's clock jumps and comes back, and nobody else's does`() throws {
        try TestLab.with("clock") { (lab: TestLab) throws in
            let s = lab.supervisor
            try s.ask(.start("a", "clock", clockService(teller)))
            let operation = HostOperation.skewClock("clock", offset: .seconds(-90))
            // Not yet: it is prepared, and right.
            try s.listen(for: .milliseconds(200))
            let (early, _) = try look(s, .host("a", operation))
            #expect(early == "false")
            try s.on("a", operation)
            try s.listen(for: .milliseconds(300))
            let (proven, sentence) = try look(s, .host("a", operation))
            #expect(proven == "true", "\(sentence)")
            #expect(
                sentence.hasSuffix("a clock that is -90.0 s off, asked -90.0 s"), "\(sentence)")
            let elsewhere = try #require(Int(try s.run("a", "/bin/date", "+%s")))
            #expect(abs(elsewhere - time(nil)) <= 1)
            // A service that is started again has the clock of its host.
            try s.on("a", .killService("clock"))
            try s.on("a", .startService("clock"))
            try s.listen(for: .milliseconds(100))
            #expect(try look(s, .host("a", operation)).proven == "true")
            try s.on("a", .resetClock("clock"))
            try s.listen(for: .milliseconds(200))
            let told = try seconds(lab)
            let now = time(nil)
            #expect(abs((told.first ?? 0) - now) < 30)
            #expect(abs((told.last ?? 0) - now) <= 1)
            #expect(told.contains { abs($0 + 90 - now) < 30 })
            // A host that boots sets its clock.
            try s.on("a", operation)
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            try s.lab(.boot("a"))
            lab.remember()
            try s.listen(for: .milliseconds(100))
            #expect(try look(s, .host("a", operation)).proven == "false")
            try s.on("a", .resetClock("clock"))
        }
    }

    @Test func `a clock that cannot be set is refused before the service runs`() throws {
        try TestLab.with("static") { (lab: TestLab) throws in
            let s = lab.supervisor
            // The header of an ELF file that names no dynamic linker.
            var header = [UInt8](repeating: 0, count: 64)
            header.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
            header[18] = 62
            header[54] = 56
            // In a place that hosts see as the machine does.
            let program = "/var/tmp/\(lab.run)-static"
            try Data(header).write(to: URL(filePath: program))
            defer { unlink(program) }
            chmod(program, 0o755)
            let script = "/var/tmp/\(lab.run)-script"
            try Data("#!\(program) -x\n".utf8).write(to: URL(filePath: script))
            defer { unlink(script) }
            chmod(script, 0o755)
            for run in [[program], [script, "-v"]] {
                let failure = try s.failure(of: .start("a", "clock", clockService(run)))
                #expect(failure.kind == .capability)
                #expect(
                    failure.message
                        == "clock.skew of service clock: \(program) is a static program, and libfaketime cannot reach its clock; use a dynamically linked one"
                )
            }
            try lab.startServing("a")
            #expect(
                try s.failure(
                    of: .perform(.host("a", .skewClock("web", offset: .seconds(5))))
                ).message == "service web was not started with a clock that can be set")
        }
    }

    // MARK: disk, command, carrier

    @Test func `a slow disk is measured to be slow, and is fast again`() throws {
        try TestLab.with("slow") { (lab: TestLab) throws in
            let s = lab.supervisor
            try lab.startServing("a")
            let lacking = try s.ask(.hello(version: "test")).detail["lacks.disk_limits"]
            let operation = HostOperation.throttleDisk(bytesPerSecond: 1_000_000)
            if let lacking {
                // A machine without a controller says so, with the greeting and with the change.
                let failure = try s.failure(of: .perform(.host("a", operation)))
                #expect(failure.kind == .capability)
                #expect(failure.message == lacking)
                return
            }
            try s.on("a", operation)
            let (proven, sentence) = try look(s, .host("a", operation))
            #expect(proven == "true", "\(sentence)")
            try s.on("a", .unthrottleDisk)
            #expect(
                try look(s, .host("a", operation)).sentence == "the disk of host a is not slowed")
            let begun = RunInstant.now
            try s.run(
                "a", "/bin/dd", "if=/dev/zero", "of=/run/firedrill/x", "bs=1M", "count=4",
                "conv=fsync")
            #expect(.now - begun < .milliseconds(3500))
            // And again, with a host that is killed under it.
            try s.on("a", operation)
            try s.lab(.silence("a"))
            try s.lab(.kill("a"))
            try s.on("a", .unthrottleDisk)
            try s.lab(.boot("a"))
            lab.remember()
            try s.on("b", operation)
        }
    }

    @Test func `a command is run and undone, and what fails is told`() throws {
        try TestLab.with("command") { (lab: TestLab) throws in
            let s = lab.supervisor
            let command = HostOperation.command(
                ["/bin/touch", "/run/drained"], undo: ["/bin/rm", "/run/drained"])
            try s.on("a", command)
            #expect(try s.run("a", "/bin/ls", "/run/drained") == "/run/drained")
            let inverse = try #require(FaultOperation.host("a", command).inverse)
            #expect(try s.ask(.perform(inverse)).verdict == .restored)
            // It is done once.
            #expect(try s.ask(.perform(inverse)).verdict == .notNeeded)
            let remove = HostOperation.run(["/bin/rm", "/run/drained"])
            #expect(
                try s.failure(of: .perform(.host("a", remove))).message.hasPrefix(
                    "/bin/rm /run/drained on host a ended with 1: "))
            #expect(
                try s.failure(
                    of: .perform(.host("a", .command(["/bin/false"], undo: ["/bin/true"])))
                ).message == "/bin/false on host a ended with 1: ")
        }
    }

    @Test func `a flapping carrier goes and comes on time, and stays up when it is healed`() throws
    {
        try TestLab.with("flap") { (lab: TestLab) throws in
            let s = lab.supervisor
            let flap = FaultOperation.lab(
                .flap("a", "main", period: .milliseconds(200), duty: 0.5))
            try s.ask(.perform(flap))
            #expect(
                try s.failure(of: .perform(flap)).message
                    == "the carrier of a on main flaps already")
            try s.listen(for: .milliseconds(1250))
            let (proven, sentence) = try look(s, flap)
            #expect(proven == "true", "\(sentence)")
            #expect(sentence.hasPrefix("carrier went down "), "\(sentence)")
            try s.lab(.unflap("a", "main"))
            for _ in 0..<5 {
                try s.listen(for: .milliseconds(90))
                #expect(try s.run("a", "/bin/cat", "/sys/class/net/eth0/carrier") == "1")
            }
            #expect(try s.reach("b", lab.address("a")).isFull)
            #expect(try look(s, flap).proven == "false")
            // The lab may end in any phase of it.
            try s.ask(.perform(flap))
        }
    }
}
