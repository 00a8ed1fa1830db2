import DrillCore
import DrillNetlink
import Glibc

/// What is done to packets between ports of one network namespace.
///
/// Each link and kind of traffic that is treated has one lane: filters at the egress of the receiver's port that
/// steer its packets to one device, which is an ifb whose root is netem, the emulator's TAP, or the sink. A lane's filters
/// go before its device: in the other order the link would be a blackhole.
@LabActor
final class LinkFaults {
    /// Where a direction's packets are caught.
    struct Place {
        /// The receiver's port, and its name.
        var port: InterfaceIndex
        var name: InterfaceName
        /// The sender's port.
        var arrival: InterfaceName
    }

    struct Lane {
        var effect: LinkEffect
        var device: LaneDevice?
        var redirects: [InstalledRedirect]
        var slot: UInt16
        var place: Place
    }

    let netlink: NetlinkSocket
    let alias: String
    /// The emulator's parent.
    private let cgroup: Cgroup?
    private let seed: UInt64
    private let asked: LinkBackend?
    /// Down: what is redirected to it vanishes without a sign to the sender.
    private let sink: InterfaceIndex
    private var treatments = TreatmentSet()
    private(set) var lanes: [LinkDirection: [TrafficSelector: Lane]] = [:]
    private var slots: [InterfaceIndex: Set<UInt16>] = [:]
    private var deviceCount = 0
    private var chosen: LinkBackend?
    var emulator: EmulatorProcess?
    private let turnstile = Turnstile()
    /// No filter leads to these any more.
    var draining: [LaneDevice] = []
    /// Called when the emulator ended and its lanes are gone: their links are as without a fault.
    var lost: (String) -> Void = { _ in }
    /// Called where a device that is to go stays.
    var complain: (LabFailure) -> Void = { _ in }

    /// In the calling thread's namespace.
    init(
        alias: String, sink: InterfaceIndex, backend: LinkBackend?, cgroup: Cgroup?,
        seed: UInt64 = 1
    ) throws(LabFailure) {
        netlink = try DrillAgent.netlink { () throws(NetlinkError) in try NetlinkSocket() }
        self.alias = alias
        self.sink = sink
        self.cgroup = cgroup
        self.seed = seed
        asked = backend
    }

    /// Adds one treatment; the interval is from before the first change to the acknowledgement of the last.
    func attach(
        _ treatment: LinkTreatment, to link: LinkDirection, at place: Place
    ) async throws(LabFailure) -> InstantInterval {
        await turnstile.enter()
        defer { turnstile.leave() }
        let before = treatments
        treatments.add(treatment, to: link)
        do throws(LabFailure) {
            return try await bring(link, to: try effects(of: link), at: place)
        } catch {
            treatments = before
            throw await rollBack(link, at: place, after: error)
        }
    }

    /// Takes one treatment away. `superseded`: somebody else had removed or changed what carried it.
    func detach(
        _ treatment: LinkTreatment, from link: LinkDirection, at place: Place
    ) async throws(LabFailure) -> (InstantInterval, HealVerdict) {
        await turnstile.enter()
        defer { turnstile.leave() }
        var wanted = treatments
        guard wanted.remove(treatment, from: link) else {
            throw LabFailure(kind: .failed, message: "link \(link) has no such fault")
        }
        guard lanes[link] != nil else {
            // They went with the emulator.
            treatments = wanted
            return (InstantInterval(.now), .restored)
        }
        // What fails here is never rolled back: that would inject the fault again, as would the link's next change.
        let isOurs = isAsSet(link)
        treatments = wanted
        let interval = try await bring(link, to: try effects(of: link), at: place)
        return (interval, isOurs ? .restored : .superseded)
    }

    /// Whether every filter of the link is as it was set.
    private func isAsSet(_ link: LinkDirection) -> Bool {
        for lane in (lanes[link] ?? [:]).values {
            for redirect in lane.redirects {
                do throws(NetlinkError) { try netlink.verify(redirect) } catch { return false }
            }
        }
        return true
    }

    // MARK: from what is to what is wanted

    private func effects(
        of link: LinkDirection
    ) throws(LabFailure) -> [TrafficSelector: LinkEffect] {
        do {
            return try treatments.lanes(of: link)
        } catch {
            throw LabFailure(kind: .failed, message: "link \(link): \(error)")
        }
    }

    /// Half of an attaching is none: back to what was, and where that fails too, both are told.
    private func rollBack(
        _ link: LinkDirection, at place: Place, after failure: LabFailure
    ) async -> LabFailure {
        do {
            _ = try await bring(link, to: try effects(of: link), at: place)
            return failure
        } catch {
            return LabFailure(
                kind: failure.kind,
                message: "\(failure.message); link \(link) could not be put back: \(error)",
                errno: failure.errno)
        }
    }

    private func bring(
        _ link: LinkDirection, to target: [TrafficSelector: LinkEffect], at place: Place
    ) async throws(LabFailure) -> InstantInterval {
        var interval: InstantInterval?
        func note(_ new: InstantInterval) {
            let old = interval ?? new
            interval = InstantInterval(
                low: min(old.low, new.low), high: max(old.high, new.high))
        }
        let current = lanes[link] ?? [:]
        // Narrow lanes come first and go last, so that no packet is without its treatment in between.
        let kinds = Set(current.keys).union(target.keys).sorted { a, b in
            (a == .all ? 1 : 0, a.description) < (b == .all ? 1 : 0, b.description)
        }
        for traffic in kinds {
            switch (current[traffic], target[traffic]) {
            case (nil, let effect?): note(try await open(effect, link, traffic, place))
            case (let lane?, let effect?) where lane.effect != effect:
                note(try await change(lane, to: effect, link, traffic))
            case (nil, nil), (.some, .some), (.some, nil): break
            }
        }
        var failure: LabFailure?
        for traffic in kinds where target[traffic] == nil {
            guard let lane = current[traffic] else { continue }
            do throws(LabFailure) {
                note(try await close(lane, link, traffic))
            } catch {
                // The other lanes go all the same.
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return interval ?? InstantInterval(.now)
    }

    private func open(
        _ effect: LinkEffect, _ link: LinkDirection, _ traffic: TrafficSelector, _ place: Place
    ) async throws(LabFailure) -> InstantInterval {
        let device = try await makeDevice(for: effect, to: place)
        let slot = takeSlot(at: place.port, for: traffic)
        do throws(LabFailure) {
            let low = RunInstant.now
            let redirects = try steer(traffic, place, to: device?.index ?? sink, slot)
            let high = RunInstant.now
            lanes[link, default: [:]][traffic] = Lane(
                effect: effect, device: device, redirects: redirects, slot: slot, place: place)
            return InstantInterval(low: low, high: high)
        } catch {
            free(slot, at: place.port)
            if let device { try await remove(device) }
            throw error
        }
    }

    private func change(
        _ lane: Lane, to effect: LinkEffect, _ link: LinkDirection, _ traffic: TrafficSelector
    ) async throws(LabFailure) -> InstantInterval {
        if case .impair(let impairment) = effect, let device = lane.device {
            let low = RunInstant.now
            try await set(device, to: Self.carried(impairment))
            lanes[link]?[traffic]?.effect = effect
            return InstantInterval(low: low, high: .now)
        }
        // To or from the sink: the new filters first, then the old ones go.
        let device = try await makeDevice(for: effect, to: lane.place)
        let slot = takeSlot(at: lane.place.port, for: traffic)
        let low = RunInstant.now
        do throws(LabFailure) {
            let redirects = try steer(traffic, lane.place, to: device?.index ?? sink, slot)
            lanes[link]?[traffic] = Lane(
                effect: effect, device: device, redirects: redirects, slot: slot, place: lane.place)
        } catch {
            free(slot, at: lane.place.port)
            if let device { try await remove(device) }
            throw error
        }
        try unsteer(lane)
        let interval = InstantInterval(low: low, high: .now)
        if let old = lane.device {
            // A cut is one at its instant: what was on its way is lost, too.
            if device == nil { try await remove(old) } else { try await retire(old) }
        }
        return interval
    }

    private func close(
        _ lane: Lane, _ link: LinkDirection, _ traffic: TrafficSelector
    ) async throws(LabFailure) -> InstantInterval {
        let low = RunInstant.now
        try unsteer(lane)
        let interval = InstantInterval(low: low, high: .now)
        lanes[link]?[traffic] = nil
        if lanes[link]?.isEmpty == true { lanes[link] = nil }
        if let device = lane.device { try await retire(device) }
        return interval
    }

    // MARK: filters

    private func steer(
        _ traffic: TrafficSelector, _ place: Place, to device: InterfaceIndex, _ slot: UInt16
    ) throws(LabFailure) -> [InstalledRedirect] {
        let redirect = Redirect(
            port: place.port, hook: .egress,
            arrivalPort: TestHooks.broken == .wrongPort ? place.name : place.arrival,
            traffic: traffic, sink: device, slot: slot)
        return try DrillAgent.netlink { () throws(NetlinkError) in
            try netlink.redirect([redirect])
        }
    }

    private func unsteer(_ lane: Lane) throws(LabFailure) {
        do throws(NetlinkError) {
            try netlink.removeRedirects(lane.redirects)
        } catch {
            // Gone already is gone; the caller says by whom.
            if error.errno != ENOENT { throw LabFailure(error) }
        }
        free(lane.slot, at: lane.place.port)
    }

    /// Room for the rules of one lane: those of one kind of traffic are asked before that of all.
    private static let slotWidth: UInt16 = 4

    private func takeSlot(at port: InterfaceIndex, for traffic: TrafficSelector) -> UInt16 {
        var slot: UInt16 = traffic == .all ? 0x500 : 0x100
        while slots[port]?.contains(slot) == true { slot += Self.slotWidth }
        slots[port, default: []].insert(slot)
        return slot
    }

    private func free(_ slot: UInt16, at port: InterfaceIndex) { slots[port]?.remove(slot) }

    // MARK: devices

    /// Nil for the sink, which is there.
    private func makeDevice(
        for effect: LinkEffect, to place: Place
    ) async throws(LabFailure) -> LaneDevice? {
        guard case .impair(let asked) = effect else { return nil }
        let impairment = Self.carried(asked)
        let backend = try backend()
        deviceCount += 1
        guard let name = InterfaceName("lane\(deviceCount)") else {
            throw LabFailure(kind: .failed, message: "no name for lane \(deviceCount)")
        }
        switch backend {
        case .netem: return try makeNetem(name, impairment, seed: seed &+ UInt64(deviceCount))
        case .emulator:
            return try await makeTap(
                name, impairment, output: place.name, seed: seed &+ UInt64(deviceCount))
        }
    }

    /// What a device is told, which a test may make to be nothing.
    private static func carried(_ impairment: Impairment) -> Impairment {
        TestHooks.broken == .zeroProbability ? .none : impairment
    }

    /// What impairs links here; chosen once.
    func backend() throws(LabFailure) -> LinkBackend {
        if let chosen { return chosen }
        let backend = try LinkBackends.choose(asked)
        chosen = backend
        return backend
    }

    private func makeNetem(
        _ name: InterfaceName, _ impairment: Impairment, seed: UInt64
    ) throws(LabFailure) -> LaneDevice {
        do throws(NetlinkError) {
            let index = try netlink.addIFB(name, alias: alias)
            do throws(NetlinkError) {
                try netlink.impair(index, impairment, seed: seed)
                try netlink.setUp(index, true)
            } catch {
                try netlink.delete(index)
                throw error
            }
            return LaneDevice(
                index: index, name: name, backend: .netem, impairment: impairment, seed: seed)
        } catch {
            throw LabFailure(error)
        }
    }

    private func makeTap(
        _ name: InterfaceName, _ impairment: Impairment, output: InterfaceName, seed: UInt64
    ) async throws(LabFailure) -> LaneDevice {
        let emulator = try await runningEmulator()
        try await emulator.open(name.rawValue, output: output.rawValue, seed: seed)
        do throws(LabFailure) {
            try await emulator.set(name.rawValue, impairment)
            let alias = alias
            let index = try DrillAgent.netlink { () throws(NetlinkError) in
                let index = try netlink.link(named: name).index
                try netlink.setAlias(index, alias)
                // A burst waits here for the emulator's turn.
                try netlink.setTxQueueLength(index, 10_000)
                try netlink.disableIPv6Addresses(index)
                try netlink.setUp(index, true)
                return index
            }
            return LaneDevice(
                index: index, name: name, backend: .emulator, impairment: impairment, seed: seed)
        } catch {
            try? await emulator.close(name.rawValue)
            throw error
        }
    }

    private func set(
        _ device: LaneDevice, to impairment: Impairment
    ) async throws(LabFailure) {
        switch device.backend {
        case .netem:
            try DrillAgent.netlink { () throws(NetlinkError) in
                try netlink.impair(device.index, impairment, seed: device.seed)
            }
        case .emulator:
            try await runningEmulator().set(device.name.rawValue, impairment)
        }
        device.impairment = impairment
    }

    // MARK: the emulator

    private func runningEmulator() async throws(LabFailure) -> EmulatorProcess {
        if let emulator { return emulator }
        let fresh = try EmulatorProcess.start(in: cgroup?.child("emulator"))
        emulator = fresh
        spawn { [self] in
            let why = await fresh.ended.wait()
            if emulator === fresh { emulatorEnded(why) }
        }
        return fresh
    }

    /// A TAP without its emulator swallows everything: the filters go at once.
    private func emulatorEnded(_ why: String) {
        emulator = nil
        var isLost = false
        for (link, byTraffic) in lanes {
            for (traffic, lane) in byTraffic where lane.device?.backend == .emulator {
                isLost = true
                do throws(LabFailure) {
                    try unsteer(lane)
                    lanes[link]?[traffic] = nil
                } catch {
                    // It is tried again by the heal that follows.
                }
            }
            if lanes[link]?.isEmpty == true { lanes[link] = nil }
        }
        if isLost { lost(why) }
    }

    /// Before the switch goes: no lane, no device and no emulator is left.
    func tearDown() async {
        await turnstile.enter()
        defer { turnstile.leave() }
        let ending = emulator
        emulator = nil
        for byTraffic in lanes.values {
            for lane in byTraffic.values {
                try? unsteer(lane)
                if let device = lane.device, device.backend == .netem { try? await remove(device) }
            }
        }
        lanes = [:]
        for device in draining where device.backend == .netem { try? await remove(device) }
        draining = []
        await ending?.stop()
    }
}

/// What a lane's packets go through.
@LabActor
final class LaneDevice {
    let index: InterfaceIndex
    let name: InterfaceName
    let backend: LinkBackend
    let seed: UInt64
    var impairment: Impairment

    init(
        index: InterfaceIndex, name: InterfaceName, backend: LinkBackend, impairment: Impairment,
        seed: UInt64
    ) {
        self.index = index
        self.name = name
        self.backend = backend
        self.seed = seed
        self.impairment = impairment
    }
}
