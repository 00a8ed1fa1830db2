import DrillCore

/// Fault operations, each read back; the interval is from just before the first change to the kernel's acknowledgement.
extension LabSupervisor {
    func perform(_ operation: FaultOperation) async throws(LabFailure) -> InstantInterval {
        switch operation {
        case .lab(let operation): try await perform(operation)
        case .host(let host, let operation): try await perform(operation, on: try self.host(host))
        }
    }

    /// What carries an impairment.
    func detail(of operation: FaultOperation) throws(LabFailure) -> [String: String] {
        guard case .lab(.attach(_, let treatment)) = operation, case .impair = treatment.effect
        else { return [:] }
        return ["backend": try builtLab().network.links.backend().rawValue]
    }

    private func perform(_ operation: LabOperation) async throws(LabFailure) -> InstantInterval {
        let network = try builtLab().network
        switch operation {
        case .silence(let host): return try network.silence(host)
        case .unsilence(let host):
            let interval = try network.unsilence(host)
            try self.host(host).watch.refresh()
            return interval
        case .kill(let host): return try await kill(try self.host(host))
        case .freeze(let name):
            let host = try self.host(name)
            let low = RunInstant.now
            try await host.kernel.freeze()
            return InstantInterval(low: low, high: .now)
        case .thaw(let name):
            let host = try self.host(name)
            let low = RunInstant.now
            try await host.kernel.thaw()
            let interval = InstantInterval(low: low, high: .now)
            host.watch.refresh()
            return interval
        case .boot(let host): return try await boot(try self.host(host))
        case .carrier(let host, let name, let isUp):
            return try network.setCarrier(host, name, isUp)
        case .attach(let link, let treatment):
            return try await network.links.attach(
                treatment, to: link, at: try network.place(of: link))
        case .detach(let link, let treatment):
            return try await network.links.detach(
                treatment, from: link, at: try network.place(of: link)
            ).0
        case .flap(let host, let network, let period, let duty):
            return try flap(host, network, period, duty)
        case .unflap(let host, let network): return try unflap(host, network)
        }
    }

    private func kill(_ host: LabHostState) async throws(LabFailure) -> InstantInterval {
        guard host.kernel.state != .dead else {
            throw LabFailure(kind: .failed, message: "host \(host.name) is dead already")
        }
        let low = RunInstant.now
        try await host.kernel.kill()
        return InstantInterval(low: low, high: .now)
    }

    private func boot(_ host: LabHostState) async throws(LabFailure) -> InstantInterval {
        let lab = try builtLab()
        guard host.kernel.state == .dead, !host.isBooting else {
            throw LabFailure(kind: .failed, message: "host \(host.name) is not dead")
        }
        host.isBooting = true
        defer { host.isBooting = false }
        let low = RunInstant.now
        host.bootCount += 1
        let fresh = try await boot(host.spec, number: host.bootCount, lab.folder, lab.cgroup)
        host.watch.end()
        let told = host.watch.told
        do throws(LabFailure) {
            let dead = host.kernel
            host.watch = try dead.withNetwork { old throws(LabFailure) in
                try fresh.withNetwork { new throws(LabFailure) in
                    let watch = try AddressWatch(
                        host.name, in: new, told: told, emit: { [weak self] in self?.emit($0) })
                    try lab.network.move(host.name, from: old, to: new)
                    return watch
                }
            }
            // Nothing of the dead kernel, no socket and no TIME_WAIT, outlives this.
            dead.closeNetwork()
            host.kernel = fresh
        } catch {
            try await fresh.kill()
            throw error
        }
        emit(.booted(host.name, bootID: fresh.bootID, .now))
        host.watch.refresh()
        let watch = host.watch
        spawn { await watch.run() }
        await joinPaths(host)
        if lab.network.isSilent(host.name) { _ = try lab.network.unsilence(host.name) }
        var failure: LabFailure?
        for service in host.services {
            do throws(LabFailure) {
                try await start(service, on: host)
            } catch {
                // The others are not kept down by it.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return InstantInterval(low: low, high: .now)
    }

    private func perform(
        _ operation: HostOperation, on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        switch operation {
        case .killService(let name): try await kill(try host.service(name), on: host)
        case .stopService(let name): try await stop(try host.service(name), on: host)
        case .startService(let name): try await start(try host.service(name), on: host)
        case .pauseService(let name):
            try await setPaused(try host.service(name), on: host, true)
        case .continueService(let name):
            try await setPaused(try host.service(name), on: host, false)
        case .signalService(let name, let number):
            try signal(try host.service(name), on: host, number)
        case .run(let arguments), .undo(let arguments): try await runToEnd(arguments, on: host)
        case .command(let arguments, _): try await command(arguments, on: host)
        case .beginStress(let stress): try await begin(.stress(stress), on: host)
        case .endStress(let stress): try await end(.stress(stress), on: host)
        case .fillDisk(let fill): try await begin(.fill(fill), on: host)
        case .emptyDisk(let fill): try await end(.fill(fill), on: host)
        case .skewClock(let service, let offset): try skew(service, by: offset, on: host)
        case .resetClock(let service): try skew(service, by: .zero, on: host)
        case .throttleDisk(let rate): try throttle(rate, on: host)
        case .unthrottleDisk: try unthrottle(host)
        }
    }

    func runToEnd(
        _ arguments: [String], on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        let result = try await run(
            arguments, in: host.kernel, place: host.kernel.system, timeout: .seconds(60))
        guard result.status == 0 else {
            throw LabFailure(
                kind: .failed,
                message:
                    "\(arguments.joined(separator: " ")) on host \(host.name) ended with \(result.status): \(result.output)"
            )
        }
        return result.started
    }
}
