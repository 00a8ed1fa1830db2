import DrillCore

/// What this machine lacks for a lab; looked for before anything is built, and told with the greeting.
enum MachineCapabilities {
    static let noCgroup =
        "no cgroup v2 is delegated to this user (systemd-run --user --scope -p Delegate=yes gives one):"
        + " processes are killed and stopped one by one, and have no limits"

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
        if network == nil {
            let backends = LinkBackends.look()
            if let netem = backends.netemProblem, let emulator = backends.emulatorProblem {
                lacking[.impairment] = "netem: \(netem); emulator: \(emulator)"
            }
        }
        if OrdinaryUser.isThis, (try? Cgroup.root()) == nil { lacking[.cgroups] = Self.noCgroup }
        lacking[.diskLimits] = DiskThrottle.missing
        if ServiceClock.library == nil { lacking[.skewedClocks] = ServiceClock.missingLibrary }
        if realtime != 0 {
            lacking[.realtime] =
                "no real-time priority: instants may be stamped later and intervals are wider;"
                + " run as root, or allow it (ulimit -r 10)"
        }
        return LabCapabilities(lacking: lacking)
    }
}
