import CLinux
import DrillCore
import DrillEmulator
import Glibc

/// The subcommands of firedrill-agent.
package enum AgentMain {
    package static let usage = """
        usage: firedrill-agent COMMAND
          lab                        supervise one lab: JSON lines on standard input and output
          agent [--allow-management]   change this machine: JSON lines on standard input and output
          enter --pid PID [-- ARGV]  a program, or a shell, inside the lab host with this first process
          shell HOST [--run RUN] [-- ARGV]   the same, of a kept lab's host
          doctor                     what this machine can do, and what earlier runs left
          orphans                    what earlier runs left on this machine, as JSON
          heal [RUN]                 remove that, kept labs included; never a run whose controller lives
          heal --system NAME         the same, of runs of one system
          sweep                      the same without the kept ones: for the start of the machine
          sweep --unit               the systemd unit that does it, as text
          bench-link                 what the emulator and our netlink path cost, measured here
          prove-links [--backend netem|emulator] [--json]   every link fault, tried and measured in a scratch lab
          version
        within a lab: host-init, probe, prober, stress, emulator, watchdog, after-host
        """

    package static func run(_ arguments: [String]) -> Int32 {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "lab": return LabSupervisor.main()
        case "agent": return HostAgent.main(rest)
        case "host-init": return HostInit.main(rest)
        case "probe": return Probe.main(rest)
        case "stress": return StressProgram.main(rest)
        case "emulator": return EmulatorProgram.main()
        case "watchdog": return Watchdog.main(rest)
        case "after-host": return AfterHost.main(rest)
        case "bench-link": return LinkBench.main(rest)
        case "prober": return Prober.main()
        case "enter": return enter(rest)
        case "shell": return shell(rest)
        case "doctor":
            // Where it is refused, what cannot be done without it says so.
            try? OrdinaryUser.becomeNamespaceRoot()
            return Doctor.run()
        case "prove-links": return ProveLinks.main(rest)
        case "orphans": return Orphans.list()
        case "heal" where rest.first == "--system" && rest.count == 2:
            return Orphans.heal(system: rest[1])
        case "heal" where rest.first != "--system":
            return Orphans.heal(only: rest.first.map { RunID($0) })
        case "sweep": return Sweep.main(rest)
        case "version":
            print(LabSupervisor.version)
            return 0
        default:
            complain(usage)
            return 64
        }
    }

    static func complain(_ text: String) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }

    private static func shell(_ arguments: [String]) -> Int32 {
        var options = Array(arguments.prefix { $0 != "--" })
        let program = arguments.dropFirst(options.count)
        var run: String?
        if let flag = options.firstIndex(of: "--run"), flag + 1 < options.count {
            run = options[flag + 1]
            options.removeSubrange(flag...(flag + 1))
        }
        guard options.count == 1 else {
            complain(usage)
            return 64
        }
        do throws(LabFailure) {
            let pid = try KeptLab.process(of: options[0], run: run)
            return enter(["--pid", pid] + (program.count > 1 ? program : []))
        } catch {
            complain("firedrill: \(error.message)")
            return 4
        }
    }

    private static func enter(_ arguments: [String]) -> Int32 {
        guard arguments.count >= 2, arguments[0] == "--pid", let pid = pid_t(arguments[1]) else {
            complain(usage)
            return 64
        }
        var program = Array(arguments.dropFirst(2))
        if program.first == "--" { program.removeFirst() }
        if program.isEmpty { program = [getenv("SHELL").map { String(cString: $0) } ?? "/bin/sh"] }
        let strings = CStringArray(program)
        let status = withExtendedLifetime(strings) {
            clinux_enter(pid, UnsafePointer(strings.pointer))
        }
        if status < 0 {
            complain(systemFailure("enter the host of process \(pid)", -status).message)
            return 1
        }
        return exitCode(ofWaitStatus: status)
    }
}
