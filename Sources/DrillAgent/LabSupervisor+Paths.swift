import DrillCore

/// Packets of our own over the links.
extension LabSupervisor {
    func startPaths(_ paths: [ProbePath]) async throws(LabFailure) {
        try await runningProber().start(paths)
    }

    func stopPaths(_ ids: [String]) async throws(LabFailure) {
        guard let prober else {
            throw LabFailure(kind: .failed, message: "no path was started")
        }
        try await prober.wait().get().stop(ids)
    }

    /// Started with the first path; every living host joins it.
    private func runningProber() async throws(LabFailure) -> ProberProcess {
        if let prober {
            let process = try await prober.wait().get()
            if process.ended.value == nil { return process }
        }
        let lab = try builtLab()
        let promise = Promise<Result<ProberProcess, LabFailure>>()
        prober = promise
        do throws(LabFailure) {
            let process = try ProberProcess(
                cgroup: lab.cgroup.child("prober"),
                tell: { [weak self] bucket in self?.emit(.path(bucket)) })
            spawn { [self] in
                let status = await process.ended.wait()
                if !isEnding { emit(.log("the prober ended with \(status)")) }
            }
            for name in lab.order {
                guard let host = lab.hosts[name], host.kernel.state != .dead else { continue }
                try await join(host, process)
            }
            promise.fulfil(.success(process))
            return process
        } catch {
            prober = nil
            promise.fulfil(.failure(error))
            throw error
        }
    }

    private func join(_ host: LabHostState, _ prober: ProberProcess) async throws(LabFailure) {
        try await prober.join(
            host.name, process: host.kernel.pid, try builtLab().network.ports(of: host.name))
    }

    /// After a host's boot.
    func joinPaths(_ host: LabHostState) async {
        await withProber { (prober) throws(LabFailure) in try await join(host, prober) }
    }

    /// When a host ended: its namespace would live on with an open socket in it.
    func leavePaths(_ host: HostName) async {
        await withProber { (prober) throws(LabFailure) in try await prober.leave(host) }
    }

    /// A prober that is gone was told of, and holds nothing.
    private func withProber(
        _ body: (ProberProcess) async throws(LabFailure) -> Void
    ) async {
        guard !isEnding, case .success(let prober)? = await prober?.wait(),
            prober.ended.value == nil
        else { return }
        do throws(LabFailure) { try await body(prober) } catch { complain(error) }
    }
}
