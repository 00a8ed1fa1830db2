import CLinux
import DrillCore
import DrillEmulator
import DrillNetlink
import Glibc

/// `firedrill bench link`: what the emulator adds to a link, and what an injection costs, beside the bare link and the tool
/// that others execute. It makes namespaces of its own and takes about fifteen seconds.
enum LinkBench {
    static let otherTool = "tc"

    static func main(_ arguments: [String]) -> Int32 {
        do throws(LabFailure) {
            if arguments.first == "peer" {
                try LinkBenchPeer.run()
                return 0
            }
            try run()
            return 0
        } catch {
            AgentMain.complain("bench link: \(error.message)")
            return error.kind == .capability ? 4 : 70
        }
    }

    private static func run() throws(LabFailure) {
        guard let tool = find(otherTool) else {
            throw LabFailure(
                kind: .capability,
                message: "\(otherTool) is missing: install the Debian package iproute2")
        }
        let lab = try LinkBenchLab()
        say("a to b in namespaces on a bridge, gso_max_segs 1 as in a lab")
        let bare = try measure(lab)
        show("bare link", bare)
        try lab.impair(.none)
        let emulated = try measure(lab)
        try lab.heal()
        show("emulator", emulated)
        say(
            "  added        \(micro(emulated.roundTrip - bare.roundTrip)) µs to the round trip at p50, delay 0, one of both directions"
        )
        try measureLateness(lab, bare: bare.oneWay)
        measureCore()
        say("")
        try measureInjection(lab, tool: tool)
    }

    // MARK: the way

    private struct Way {
        /// p50.
        var roundTrip: Duration
        var oneWay: Duration
        var packets: Double
        var gigabits: Double
        /// Of the emulator's process, for each 64-byte packet of the flood.
        var cpu: Double?
    }

    private static func measure(_ lab: LinkBenchLab) throws(LabFailure) -> Way {
        // The first ones ask for addresses.
        _ = try lab.roundTrips(20)
        let roundTrip = quantile(try lab.roundTrips(3000), 50)
        let oneWay = quantile(try lab.oneWay(500, every: .milliseconds(1)), 50)
        let gigabits = try lab.gigabitsPerSecond(for: .milliseconds(1500))
        let before = lab.emulatorTime
        let packets = try lab.packetsPerSecond(for: .milliseconds(1500))
        let spent = lab.emulatorTime - before
        let cpu = spent > .milliseconds(10) ? spent.milliseconds * 1000 / (packets * 1.5) : nil
        return Way(
            roundTrip: roundTrip, oneWay: oneWay, packets: packets, gigabits: gigabits, cpu: cpu)
    }

    private static func show(_ name: String, _ way: Way) {
        let cpu = way.cpu.map { ", \(decimal($0)) µs of the emulator's CPU each" } ?? ""
        say(
            "  \(name.padded(11))  round trip p50 \(micro(way.roundTrip)) µs; \(Int(way.packets)) packets/s of 64 B\(cpu); TCP \(decimal(way.gigabits)) Gbit/s"
        )
    }

    private static func measureLateness(_ lab: LinkBenchLab, bare: Duration) throws(LabFailure) {
        let delay = Duration.milliseconds(10)
        try lab.impair(Impairment(delay: delay))
        _ = try lab.roundTrips(5)
        let before = lab.emulatorTime
        let count = 3000
        let times = try lab.oneWay(count, every: .milliseconds(1))
        let spent = lab.emulatorTime - before
        try lab.heal()
        say(
            "  lateness     at a 10 ms delay, 1,000/s: p50 \(micro(quantile(times, 50) - bare - delay)) µs, p99 \(micro(quantile(times, 99) - bare - delay)) µs (less the bare link's \(micro(bare)) µs); \(decimal(spent.milliseconds * 1000 / Double(count))) µs of CPU each"
        )
    }

    /// Decision and time queue alone, 5,000 packets held.
    private static func measureCore() {
        var core = EmulatorCore(seed: 1)
        var held = HeldPackets()
        core.set(
            Impairment(
                delay: .milliseconds(50), jitter: .milliseconds(5), distribution: .normal,
                loss: .gilbertElliott(p: 0.01, r: 0.3, h: 0, k: 1),
                duplicate: CorrelatedRatio(0.01), corrupt: CorrelatedRatio(0.01),
                reorder: Reordering(CorrelatedRatio(0.01))))
        let count = 200_000
        var now = RunInstant(nanoseconds: 0)
        let start = RunInstant.now
        for number in 0..<count {
            while held.take(now) != nil {}
            let decision = core.receive(length: 100, held: held.count, now: now)
            if let copy = decision.packet { held.add(Int32(number), at: copy.time) }
            now = now + .microseconds(10)
        }
        let each = (RunInstant.now - start).milliseconds * 1e6 / Double(count)
        say("  core         \(decimal(each)) ns a packet, everything on at 100,000/s")
    }

    // MARK: one injection

    private static func measureInjection(_ lab: LinkBenchLab, tool: String) throws(LabFailure) {
        say("one injection and its end")
        let handle = TrafficHandle(0xfd10, 0)
        let netlink = try median(200) { () throws(LabFailure) in
            try DrillAgent.netlink { () throws(NetlinkError) in
                try lab.netlink.addQdisc(lab.port, handle: handle, .pfifo(limit: 100))
                try lab.netlink.deleteQdisc(lab.port, handle: handle)
            }
        }
        say("  netlink      \(micro(netlink)) µs: a qdisc added, read back and deleted")
        let executed = try median(20) { () throws(LabFailure) in
            for words in [["add", "handle", "fd10:", "pfifo", "limit", "100"], ["del"]] {
                let first = ["qdisc", words[0], "dev", "b", "root"]
                try execute([tool] + first + words.dropFirst(), in: lab)
            }
        }
        say("  \(otherTool)           \(micro(executed)) µs: the same, executed twice")
        let redirect = try median(200) { () throws(LabFailure) in
            try DrillAgent.netlink { () throws(NetlinkError) in
                let one = Redirect(
                    port: lab.port, hook: .egress, arrivalPort: "a", sink: lab.port)
                try lab.netlink.removeRedirects(try lab.netlink.redirect([one]))
            }
        }
        say("  redirect     \(micro(redirect)) µs: a filter added, read back and removed")
        _ = try lab.ask(.open("lane", output: "b", seed: 1))
        let change = try median(200) { () throws(LabFailure) in
            _ = try lab.ask(.set("lane", Impairment(delay: .milliseconds(50))))
        }
        say("  emulator     \(micro(change)) µs: a lane's parameters changed")
    }

    private static func execute(_ arguments: [String], in lab: LinkBenchLab) throws(LabFailure) {
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        defer { withExtendedLifetime(nothing) {} }
        let child = try Child.start(
            ChildSpec(
                executable: arguments[0], arguments: arguments,
                environment: Surroundings.environment,
                descriptors: [nothing.number, nothing.number, 2],
                networkNamespace: lab.place.fileDescriptor))
        let status = child.reap()
        if status != 0 {
            throw LabFailure(
                kind: .failed,
                message: "\(arguments.joined(separator: " ")) ended with \(status)")
        }
    }

    private static func median(
        _ count: Int, _ body: () throws(LabFailure) -> Void
    ) throws(LabFailure) -> Duration {
        var times: [Duration] = []
        for _ in 0..<count {
            let start = RunInstant.now
            try body()
            times.append(.now - start)
        }
        return quantile(times.sorted(), 50)
    }

    private static func find(_ program: String) -> String? {
        (Surroundings.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { access($0, X_OK) == 0 }
    }

    // MARK: numbers

    /// As it comes, also into a pipe.
    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private static func quantile(_ sorted: [Duration], _ p: Int) -> Duration {
        sorted.isEmpty ? .zero : sorted[(sorted.count * p + 99) / 100 - 1]
    }

    private static func micro(_ duration: Duration) -> String {
        decimal(duration.milliseconds * 1000)
    }

    private static func decimal(_ value: Double) -> String {
        let tenths = Int((abs(value) * 10).rounded())
        return "\(value < 0 && tenths > 0 ? "−" : "")\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
