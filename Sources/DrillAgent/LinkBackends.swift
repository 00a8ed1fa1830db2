import DrillCore
import DrillNetlink
import Glibc

/// Which backend impairs links on this machine, and why.
struct LinkBackends {
    /// Nil: the kernel has sch_netem. Else what it said.
    let netemProblem: String?
    /// Nil: a TAP device can be made. Else why not, with the remedy.
    let emulatorProblem: String?

    static func look() -> LinkBackends {
        LinkBackends(netemProblem: lookForNetem(), emulatorProblem: lookForTun())
    }

    /// Netem where the kernel has it, else the emulator, unless one of them is asked for.
    static func choose(_ asked: LinkBackend?) throws(LabFailure) -> LinkBackend {
        let found = look()
        switch asked {
        case .netem?:
            if let problem = found.netemProblem { throw missing(.netem, problem) }
            return .netem
        case .emulator?:
            if let problem = found.emulatorProblem { throw missing(.emulator, problem) }
            return .emulator
        case nil:
            guard let netem = found.netemProblem else { return .netem }
            guard let emulator = found.emulatorProblem else { return .emulator }
            throw LabFailure(
                kind: .capability,
                message: "links cannot be impaired here. netem: \(netem). Emulator: \(emulator)")
        }
    }

    /// What `doctor` says: each fault of a link, what it would be made with here, and why.
    var lines: [String] {
        let impairment: String
        switch (netemProblem, emulatorProblem) {
        case (nil, nil):
            impairment = "netem: this kernel has sch_netem; the emulator can be asked for"
        case (nil, let problem?):
            impairment = "netem: this kernel has sch_netem; no emulator: \(problem)"
        case (let problem?, nil): impairment = "emulator: \(problem)"
        case (let netem?, let emulator?):
            impairment = "NONE: netem: \(netem). Emulator: \(emulator)"
        }
        let port = "port: the switch port of the host is set down"
        let faults =
            [("link.down", port), ("link.flap", port)]
            + [("link.partition", "redirect: clsact, u32 and mirred to a device that is down")]
            + ["delay", "loss", "duplicate", "corrupt", "reorder", "rate"].map {
                ("link.\($0)", impairment)
            }
        return faults.map { name, text in
            "backend  \(name)\(String(repeating: " ", count: 14 - name.count))  \(text)"
        }
    }

    private static func missing(_ backend: LinkBackend, _ problem: String) -> LabFailure {
        LabFailure(kind: .capability, message: "\(backend.rawValue): \(problem)")
    }

    /// In a scratch namespace: ENOENT is a kernel without it, success one with it, anything else an unknown.
    private static func lookForNetem() -> String? {
        switch NetemSupport.probe() {
        case .present: return nil
        case .absent(let error):
            return
                "this kernel has no sch_netem (\(error)); install linux-modules-extra-$(uname -r)"
                + " (Debian, Ubuntu) or kernel-modules-extra (RHEL, Fedora), or use the emulator"
        case .unknown(let error): return "\(error)"
        }
    }

    private static func lookForTun() -> String? {
        let descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        if descriptor >= 0 {
            close(descriptor)
            return nil
        }
        let name = String(cString: strerror(errno))
        switch errno {
        case ENOENT, ENODEV, ENXIO:
            return
                "/dev/net/tun: \(name); modprobe tun, or start the container with --device /dev/net/tun"
        case EACCES, EPERM:
            return "/dev/net/tun: \(name); run as root, or let this user open it:"
                + " chmod 0666 /dev/net/tun, lasting by a udev rule KERNEL==\"tun\", MODE=\"0666\""
        default: return "/dev/net/tun: \(name)"
        }
    }
}
