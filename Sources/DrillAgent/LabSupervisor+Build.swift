import DrillCore
import Glibc

/// From a specification to hosts that reach one another, and back to nothing.
extension LabSupervisor {
    func build(_ spec: LabSpec) async throws(LabFailure) {
        guard lab == nil else {
            throw LabFailure(kind: .failed, message: "the lab is built already")
        }
        if let networkFailure { throw networkFailure }
        let folder = RunFolder(run: spec.run)
        let cgroup = try folder.cgroup()
        TestHooks.point("build: begun")
        setenv(OwnProcess.marker, spec.run.rawValue, 1)
        let watchdog = try WatchdogProcess(spec.run, sharesNetwork: false)
        TestHooks.point("build: watchdog started")
        let lock: Descriptor
        do {
            lock = try folder.make(cgroup: cgroup)
        } catch {
            await watchdog.dismiss()
            throw error
        }
        TestHooks.point("build: folder made")
        var starting: Keeper?
        do {
            let keeper = try Keeper(folder, lock: lock, hands: self, watchdog: watchdog)
            starting = keeper
            TestHooks.point("build: journal made")
            if let system = spec.system { try Files.write(system, to: folder.systemPath) }
            try cgroup.make()
            TestHooks.point("build: cgroup made")
            let network = try Switch(
                run: spec.run, networks: spec.networks, backend: spec.backend, cgroup: cgroup)
            lab = Lab(
                spec: spec, folder: folder, keeper: keeper, cgroup: cgroup, network: network)
            starting = nil
            network.links.lost = { [weak keeper] why in
                spawn { await keeper?.healAll(by: .watchdog, why: why) }
            }
            network.links.complain = { [weak self] in self?.complain($0) }
            keeper.beginLease(TestHooks.lease ?? spec.lease)
            TestHooks.point("build: switch made")
            let hosts = try await bootAll(spec.hosts, folder, cgroup)
            for host in hosts {
                lab?.hosts[host.name] = host
                lab?.order.append(host.name)
                emit(.booted(host.name, bootID: host.kernel.bootID, .now))
                host.watch.refresh()
                spawn { await host.watch.run() }
            }
            TestHooks.point("build: hosts booted")
            try await meet()
            TestHooks.point("build: hosts met")
        } catch {
            // Without a switch there is no lab yet that could be torn down.
            var left: [String] = []
            if lab == nil {
                if let starting { await starting.farewell() } else { await watchdog.dismiss() }
                // What an earlier lab of this run could not take back stays on record.
                left = RunRemains.remove(folder, keepsJournal: Journal.hasOpenRecords(folder.path))
            }
            left += await tearDown(staysAlive: true)
            guard left.isEmpty else {
                throw LabFailure(
                    kind: error.kind,
                    message: "\(error.message); left behind: \(left.joined(separator: ", "))",
                    errno: error.errno)
            }
            throw error
        }
    }

    /// All at once: most of a boot is the start of its first process.
    private func bootAll(
        _ specs: [LabHost], _ folder: RunFolder, _ cgroup: Cgroup
    ) async throws(LabFailure) -> [LabHostState] {
        var boots: [Promise<Result<HostKernel, LabFailure>>] = []
        for spec in specs {
            try Files.makeDirectory(folder.host(spec.name))
            let promise = Promise<Result<HostKernel, LabFailure>>()
            boots.append(promise)
            spawn { [self] in
                do throws(LabFailure) {
                    promise.fulfil(.success(try await boot(spec, number: 1, folder, cgroup)))
                } catch {
                    promise.fulfil(.failure(error))
                }
            }
        }
        var hosts: [LabHostState] = []
        var failure: LabFailure?
        for (spec, promise) in zip(specs, boots) {
            do throws(LabFailure) {
                let kernel = try await promise.wait().get()
                hosts.append(
                    LabHostState(
                        spec, folder: folder.host(spec.name), kernel: kernel,
                        watch: try plugIn(spec, kernel)))
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return hosts
    }

    private func plugIn(
        _ spec: LabHost, _ kernel: HostKernel
    ) throws(LabFailure) -> AddressWatch {
        let network = try builtLab().network
        return try kernel.withNetwork { namespace throws(LabFailure) in
            try network.connect(spec, to: namespace)
            return try AddressWatch(
                spec.name, in: namespace, emit: { [weak self] in self?.emit($0) })
        }
    }

    func boot(
        _ spec: LabHost, number: Int, _ folder: RunFolder, _ cgroup: Cgroup
    ) async throws(LabFailure) -> HostKernel {
        let kernel = try await HostKernel.boot(
            spec.name, number: number, in: cgroup, state: folder.host(spec.name),
            isClient: spec.isClient)
        spawn { [self] in
            await kernel.ended.wait()
            if kernel.endedByItself, !isEnding { emit(.hostEnded(spec.name, .now)) }
            await leavePaths(spec.name)
        }
        return kernel
    }

    /// Each host asks for the others on their networks, all at once.
    private func meet() async throws(LabFailure) {
        let lab = try builtLab()
        var answers: [(HostName, Promise<Result<RunResult, LabFailure>>)] = []
        for name in lab.order {
            guard let host = lab.hosts[name] else { continue }
            let networks = Set(host.spec.ports.map(\.network))
            let others = lab.spec.hosts.filter { $0.name > name }.flatMap { other in
                other.ports.filter { networks.contains($0.network) }.map(\.address)
            }
            if others.isEmpty { continue }
            let promise = Promise<Result<RunResult, LabFailure>>()
            answers.append((name, promise))
            spawn { [self] in
                do throws(LabFailure) {
                    promise.fulfil(
                        .success(
                            try await runHelper(
                                ["probe", "meet", "5000"] + others, in: host.kernel,
                                timeout: .seconds(8))))
                } catch {
                    promise.fulfil(.failure(error))
                }
            }
        }
        for (name, promise) in answers {
            let result = try await promise.wait().get()
            if result.status != 0 {
                throw LabFailure(
                    kind: .failed, message: "host \(name) does not reach \(result.output)")
            }
        }
    }

    // MARK: the end

    /// Ends everything and answers what could not be removed; nothing when all is gone.
    func tearDown(staysAlive: Bool = false) async -> [String] {
        if isEnding {
            // A signal and an end of file may come together; the second waits for the first.
            while lab != nil { await Reactor.shared.sleep(.milliseconds(5)) }
            return []
        }
        isEnding = true
        defer { if staysAlive { isEnding = false } }
        polls = [:]
        notices = [:]
        guard let lab else { return [] }
        var left: [String] = []
        func attempt(_ body: () async throws(LabFailure) -> Void) async {
            do throws(LabFailure) {
                try await body()
            } catch {
                left.append(error.message)
            }
        }
        TestHooks.point("teardown: begun")
        let healed = lab.keeper.end(by: .plan, why: "the lab is taken down")
        // What is still being performed ends with its host.
        let patience = RunInstant.now + .seconds(10)
        while healed.value == nil, lab.keeper.isUndoing, RunInstant.now < patience {
            await Reactor.shared.sleep(.milliseconds(2))
        }
        left += hostFaults.tearDown()
        for load in loads.values { load.close() }
        for host in lab.hosts.values { host.watch.end() }
        // Before its cgroup goes: an emulator that is killed would look like one that was lost.
        await lab.network.links.tearDown()
        await attempt { () async throws(LabFailure) in
            guard lab.cgroup.exists else { return }
            try lab.cgroup.kill()
            TestHooks.point("teardown: hosts killed")
            try await lab.cgroup.waitUntilEmpty()
        }
        for host in lab.hosts.values {
            await attempt { () async throws(LabFailure) in
                try await host.kernel.kill()
                host.kernel.closeNetwork()
            }
        }
        for outcome in await healed.wait() where outcome.verdict == .restoreFailed {
            left.append(outcome.message ?? "a change could not be taken back")
        }
        for load in loads.values { await load.ended.wait() }
        loads = [:]
        if case .success(let prober)? = await prober?.wait() { _ = await prober.ended.wait() }
        prober = nil
        TestHooks.point("teardown: load ended")
        await attempt { () async throws(LabFailure) in try lab.cgroup.remove() }
        TestHooks.point("teardown: cgroup removed")
        await attempt { () async throws(LabFailure) in left += try lab.network.tearDown() }
        TestHooks.point("teardown: switch removed")
        server?.close()
        if lab.keeper.unrestored.contains(where: \.record.isLasting) {
            // A journal with a change that outlives the lab stays for `heal`, which tries again.
            left.append(
                "\(lab.folder.path), with what could not be taken back: `firedrill heal` tries it again"
            )
        } else {
            await attempt { () async throws(LabFailure) in try lab.folder.remove() }
        }
        TestHooks.point("teardown: folder removed")
        // Last: until here, the watchdog would have done the rest.
        await lab.keeper.farewell()
        self.lab = nil
        return left
    }
}
