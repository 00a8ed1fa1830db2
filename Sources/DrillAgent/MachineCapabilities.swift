import DrillCore
import DrillNetlink
import Glibc

/// What this machine lacks for a lab; looked for before anything is built, and told with the greeting.
enum MachineCapabilities {
    /// - Parameters:
    ///   - network: why there is no network namespace for the switch.
    ///   - realtime: what refused real-time priority, or 0.
    static func lacking(network: LabFailure?, realtime: Int32) -> LabCapabilities {
        var lacking: [LabCapability: String] = [:]
        lacking[.namespaces] = network?.message
        if OrdinaryUser.isThis {
            lacking[.users] =
                "an ordinary user is root in the hosts of his labs, and there is no other user; run it as root"
        }
        if network == nil, netem() == false, let tun = tunProblem() { lacking[.impairment] = tun }
        if realtime != 0 {
            lacking[.realtime] =
                "no real-time priority: instants may be stamped later and intervals are wider;"
                + " run as root, or allow it (ulimit -r 10)"
        }
        return LabCapabilities(lacking: lacking)
    }

    /// Whether the kernel has sch_netem; nil: it would not say.
    static func netem() -> Bool? {
        do throws(NetlinkError) {
            let namespace = try NetworkNamespace.create()
            let socket = try NetlinkSocket(in: namespace)
            // A whole tc_netem_qopt of zeros: a kernel that knows netem takes it.
            try socket.addQdisc(
                try socket.link(named: "lo").index, handle: TrafficHandle(1),
                .other(kind: "netem", options: [UInt8](repeating: 0, count: 24)))
            return true
        } catch {
            return error.errno == ENOENT ? false : nil
        }
    }

    /// Why the emulator has no device to take packets from, and what to do; nil: it has.
    static func tunProblem() -> String? {
        let path = "/dev/net/tun"
        let number = open(path, O_RDWR | O_CLOEXEC)
        if number >= 0 {
            close(number)
            return nil
        }
        let refusal = errno
        let why =
            "this kernel has no sch_netem, and \(path) cannot be opened (\(String(cString: strerror(refusal))))"
        switch refusal {
        case ENOENT, ENODEV, ENXIO:
            return why
                + ": load the module (modprobe tun, or modprobe sch_netem; on Fedora and RHEL"
                + " dnf install kernel-modules-extra, on Ubuntu"
                + " apt install linux-modules-extra-$(uname -r));"
                + " in a container, start it with --device \(path)"
        default:
            return why + ": chmod 0666 \(path), kept over a boot by the udev rule"
                + " KERNEL==\"tun\", MODE=\"0666\" in /etc/udev/rules.d/90-tun.rules"
                + " (the default of Debian, Ubuntu, Fedora and Arch); or run as root"
        }
    }
}
