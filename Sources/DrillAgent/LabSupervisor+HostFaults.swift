import DrillCore

/// What is taken of a host, and its clock, disk and carrier.
extension LabSupervisor {
    /// Acknowledged when the helper holds all of it.
    func begin(
        _ burden: HostBurden, on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        let isThere = hostFaults.burdens.contains {
            $0.host == host.name && $0.burden == burden && !$0.isGone
        }
        guard !isThere else {
            throw LabFailure(kind: .failed, message: "host \(host.name) has this fault already")
        }
        hostFaults.burdenCount += 1
        let kernel = host.kernel
        let place = kernel.system.child("stress-\(hostFaults.burdenCount)")
        let arguments = try burden.arguments()
        let low = RunInstant.now
        do throws(LabFailure) {
            let (program, source) = try await launch(
                ProgramSpec(
                    arguments: arguments, environment: Surroundings.environment, directory: "/",
                    isAgent: true), in: kernel, place: place)
            let said = Promise<String>()
            let reader = OutputReader(source) { line, _ in said.fulfil(line) }
            spawn {
                _ = await program.exit.wait()
                await reader.finish()
                said.fulfil("failed the helper ended without a word")
            }
            let words = (await said.wait(until: low + .seconds(60)) ?? "timedOut not there in 60s")
                .split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2, words[0] == "ready", let amount = Int64(words[1]) else {
                throw LabFailure(
                    kind: LabFailure.Kind(rawValue: words[0]) ?? .failed,
                    message: "host \(host.name): \(words.last ?? "")")
            }
            hostFaults.burdens.append(
                HeldBurden(burden, on: kernel, place, program, amount: amount))
            return InstantInterval(low: low, high: .now)
        } catch {
            try await Self.clear(place)
            throw error
        }
    }

    private static func clear(_ place: Cgroup) async throws(LabFailure) {
        guard place.exists else { return }
        if try place.isPopulated() {
            try place.kill()
            try await place.waitUntilEmpty()
        }
        try place.remove()
    }

    /// For the keeper: whether the helper holds it still.
    func look(_ burden: HostBurden, on host: LabHostState) -> (now: String, set: String) {
        let isHeld = hostFaults.burdens.contains {
            $0.host == host.name && $0.burden == burden && !$0.isGone
        }
        return (isHeld ? "held" : Self.gone, "held")
    }

    /// Also of a host that was killed meanwhile: then there is nothing left to end.
    func end(
        _ burden: HostBurden, on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        let low = RunInstant.now
        for held in hostFaults.burdens where held.host == host.name && held.burden == burden {
            try await held.end()
            hostFaults.burdens.removeAll { $0 === held }
        }
        return InstantInterval(low: low, high: .now)
    }

    /// To its end: what it changes may come at any time until then.
    func command(
        _ arguments: [String], on host: LabHostState
    ) async throws(LabFailure) -> InstantInterval {
        let started = try await runToEnd(arguments, on: host)
        return InstantInterval(low: started.low, high: .now)
    }

    // MARK: carrier

    func flap(
        _ name: HostName, _ network: NetworkName, _ period: Duration, _ duty: Double
    ) throws(LabFailure) -> InstantInterval {
        let ports = try builtLab().network
        let port = HostFaults.Port(host: name, network: network)
        guard hostFaults.flaps[port] == nil else {
            throw LabFailure(
                kind: .failed, message: "the carrier of \(name) on \(network) flaps already")
        }
        let flap = CarrierFlap(period: period, duty: duty) { isUp throws(LabFailure) in
            try ports.setCarrier(name, network, isUp)
        }
        let interval = try flap.begin()
        hostFaults.flaps[port] = flap
        return interval
    }

    func unflap(
        _ name: HostName, _ network: NetworkName
    ) throws(LabFailure) -> InstantInterval {
        let port = HostFaults.Port(host: name, network: network)
        guard let flap = hostFaults.flaps.removeValue(forKey: port) else {
            return try builtLab().network.setCarrier(name, network, true)
        }
        return try flap.end()
    }

    /// As /sys of the host shows it: 1 is up.
    private func seenCarrier(_ name: HostName, _ network: NetworkName) -> Bool? {
        guard let lab = try? builtLab(), let host = lab.hosts[name], host.kernel.state != .dead,
            let port = try? lab.network.ports(of: name).first(where: { $0.network == network })
        else { return nil }
        let path = host.kernel.outside("/sys/class/net/\(port.inside)/carrier")
        return (try? Files.read(path)).map { $0.hasPrefix("1") }
    }

    // MARK: clock

    func skew(
        _ service: ServiceName, by offset: Duration, on host: LabHostState
    ) throws(LabFailure) -> InstantInterval {
        _ = try host.service(service)
        return try ServiceClock(of: service, on: host.kernel).set(offset)
    }

    private func inspectClock(
        _ name: ServiceName, _ offset: Duration, on host: LabHostState
    ) async throws(LabFailure) -> Inspection {
        let clock = ServiceClock(of: name, on: host.kernel)
        let asked = Figure.decimal(Double(offset.nanoseconds) / 1e9, 1)
        let library = ServiceClock.library ?? "libfaketime"
        let place = host.place(of: name)
        guard try place.isPopulated() else {
            return Inspection(false, "service \(name) does not run on host \(host.name)")
        }
        /// Nil for one that ended meanwhile.
        func isReached(_ pid: Int32) -> Bool? {
            guard let maps = try? Files.read("/proc/\(pid)/maps"), !maps.isEmpty else { return nil }
            return maps.contains(library)
        }
        var reached = 0
        var others: [Int32] = []
        for pid in try place.allProcesses() {
            guard let isReached = isReached(pid) else { continue }
            if isReached { reached += 1 } else { others.append(pid) }
        }
        // A program that has just begun has not loaded its libraries yet.
        let deadline = RunInstant.now + .milliseconds(500)
        while !others.isEmpty, .now < deadline {
            await Reactor.shared.sleep(.milliseconds(20))
            others = others.filter { pid in
                guard let isReached = isReached(pid) else { return false }
                if isReached { reached += 1 }
                return !isReached
            }
        }
        var environment = Surroundings.environment
        environment.merge(try clock.environment()) { _, new in new }
        let before = RealTime.now()
        // Not this program: the Swift runtime finds no arguments where libfaketime is loaded before it.
        let result = try await run(
            ["date", "+%s%N"], environment: environment, in: host.kernel,
            place: host.kernel.helpers, timeout: .seconds(5))
        let after = RealTime.now()
        guard result.status == 0, let shown = Int64(result.output) else {
            return Inspection(false, "the clock of \(name) cannot be read: \(result.output)")
        }
        // Between these it was read, so the offset lies between the two differences.
        let least = shown - after
        let most = shown - before
        let middle = Figure.decimal((Double(least) + Double(most)) / 2e9, 1)
        let slack = Duration.milliseconds(5).nanoseconds
        let isRight = (least - slack...most + slack).contains(offset.nanoseconds)
        var text =
            "\(reached) process\(reached == 1 ? "" : "es") of \(name) look\(reached == 1 ? "s" : "") at a clock that is \(middle) s off, asked \(asked) s"
        if !others.isEmpty {
            text += "; not reached: process \(others.map(String.init).joined(separator: ", "))"
        }
        return Inspection(isRight && reached > 0 && others.isEmpty, text)
    }

    // MARK: disk

    func throttle(
        _ rate: UInt64, on host: LabHostState
    ) throws(LabFailure) -> InstantInterval {
        // A host that was killed under its limit starts without one.
        if hostFaults.throttles[host.name]?.kernel.state == .dead { _ = try unthrottle(host) }
        guard hostFaults.throttles[host.name] == nil else {
            throw LabFailure(
                kind: .failed, message: "the disk of host \(host.name) is slowed already")
        }
        let throttle = try DiskThrottle(host, run: try builtLab().spec.run)
        hostFaults.throttles[host.name] = throttle
        return try throttle.set(rate)
    }

    func unthrottle(_ host: LabHostState) throws(LabFailure) -> InstantInterval {
        let low = RunInstant.now
        try hostFaults.throttles[host.name]?.remove()
        hostFaults.throttles[host.name] = nil
        return InstantInterval(low: low, high: .now)
    }

    // MARK: proof

    /// Whether a change is in effect, with figures.
    func inspect(_ operation: FaultOperation) async throws(LabFailure) -> Inspection {
        switch operation {
        case .lab(.flap(let host, let network, _, _)):
            let port = HostFaults.Port(host: host, network: network)
            guard let flap = hostFaults.flaps[port] else {
                return Inspection(false, "the carrier of \(host) on \(network) does not flap")
            }
            return flap.inspect(seen: seenCarrier(host, network))
        case .lab(.carrier(let host, let network, up: false)):
            let isUp = try builtLab().network.isPortUp(host, network)
            let seen = seenCarrier(host, network)
            return Inspection(
                !isUp && seen != true,
                "the switch's port of \(host) on \(network) is \(isUp ? "up" : "down")"
                    + (seen.map { "; the host sees its carrier \($0 ? "up" : "down")" } ?? ""))
        case .host(let name, .beginStress(let stress)):
            return try await inspect(.stress(stress), of: name)
        case .host(let name, .fillDisk(let fill)):
            return try await inspect(.fill(fill), of: name)
        case .host(let name, .skewClock(let service, let offset)):
            return try await inspectClock(service, offset, on: try host(name))
        case .host(let name, .throttleDisk(let rate)):
            let state = try host(name)
            guard let throttle = hostFaults.throttles[name] else {
                return Inspection(false, "the disk of host \(name) is not slowed")
            }
            let result = try await run(
                ["probe", "disk", "/run/firedrill", "500"], isAgent: true, in: state.kernel,
                place: state.kernel.system, timeout: .seconds(20))
            return try throttle.inspect(rate, measured: result)
        case .lab, .host:
            throw LabFailure(
                kind: .failed, message: "there is nothing to look at of this change: \(operation)")
        }
    }

    private func inspect(
        _ burden: HostBurden, of host: HostName
    ) async throws(LabFailure) -> Inspection {
        let held = hostFaults.burdens.last { $0.host == host && $0.burden == burden }
        guard let held else { return Inspection(false, "host \(host) has no such fault") }
        return try await held.inspect()
    }
}
