import DrillCore
import DrillNetlink
import Glibc

/// How the device of a lane goes.
extension LinkFaults {
    /// How long what is held may still leave at its time. It holds up nobody: the link is as without the fault already.
    private static func drainLimit(_ device: LaneDevice) -> Duration {
        max(.seconds(2), device.impairment.delay + device.impairment.jitter * 4)
    }

    private static let drainLook = Duration.milliseconds(5)

    /// A device that no filter leads to goes when it holds nothing any more: what was on its way arrives, late as it is.
    func retire(_ device: LaneDevice) async throws(LabFailure) {
        if TestHooks.broken == .noRemoval {
            throw LabFailure(kind: .failed, message: "a test forbids to remove \(device.name)")
        }
        switch device.backend {
        case .netem: if try isDry(device) { return try await remove(device) }
        case .emulator:
            do throws(LabFailure) {
                try await emulator?.drain(device.name.rawValue, limit: Self.drainLimit(device))
            } catch {
                if isThere(device) { throw error }
            }
            if !isThere(device) { return }
        }
        draining.append(device)
        spawn { [self] in await drain(device) }
    }

    private func drain(_ device: LaneDevice) async {
        let deadline = RunInstant.now + Self.drainLimit(device)
        do throws(LabFailure) {
            while RunInstant.now < deadline, try !isDry(device) {
                await Reactor.shared.sleep(Self.drainLook)
                guard isDraining(device) else { return }
            }
            // What has left netem may be on its way out of the device.
            await Reactor.shared.sleep(Self.drainLook)
            guard isDraining(device) else { return }
            if isThere(device) { try await remove(device) }
        } catch {
            // With the switch it goes all the same, and what stays is named by its teardown.
            complain(error)
        }
        draining.removeAll { $0 === device }
    }

    private func isDraining(_ device: LaneDevice) -> Bool { draining.contains { $0 === device } }

    private func isDry(_ device: LaneDevice) throws(LabFailure) -> Bool {
        switch device.backend {
        case .netem:
            return try DrillAgent.netlink { () throws(NetlinkError) in
                try netlink.held(device.index) == 0
            }
        // It ends the lane by itself.
        case .emulator: return !isThere(device)
        }
    }

    func remove(_ device: LaneDevice) async throws(LabFailure) {
        switch device.backend {
        case .netem:
            do throws(NetlinkError) {
                try netlink.delete(device.index)
            } catch {
                if error.errno != ENODEV { throw LabFailure(error) }
            }
        case .emulator:
            do throws(LabFailure) {
                try await emulator?.close(device.name.rawValue)
            } catch {
                // One that ends meanwhile takes its devices with it.
                if isThere(device) { throw error }
            }
        }
    }

    private func isThere(_ device: LaneDevice) -> Bool {
        do throws(NetlinkError) {
            return try netlink.link(device.index).name == device.name
        } catch {
            return error.errno != ENODEV
        }
    }
}
