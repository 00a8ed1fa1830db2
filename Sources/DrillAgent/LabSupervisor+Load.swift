import DrillCore

/// The processes that make load, read back, and ask hosts on behalf of roles.
extension LabSupervisor {
    func startLoad(
        _ name: String, _ hostName: HostName, _ command: LoadCommand
    ) throws(LabFailure) {
        let host = try self.host(hostName)
        if let load = loads[name], load.ended.value == nil {
            throw LabFailure(kind: .failed, message: "load \(name) is running already")
        }
        let load = try LoadProcess(
            name, program: try Surroundings.ownFolder() + "/firedrill-load", in: host.kernel,
            cgroup: try builtLab().cgroup.child("load"),
            tell: { [weak self] event in
                guard let self, !isEnding else { return }
                emit(.load(name, event))
            })
        loads[name] = load
        load.send(command)
    }

    func sendLoad(_ name: String, _ command: LoadCommand) throws(LabFailure) {
        guard let load = loads[name], load.ended.value == nil else {
            throw LabFailure(kind: .failed, message: "load \(name) is not running")
        }
        load.send(command)
    }
}
