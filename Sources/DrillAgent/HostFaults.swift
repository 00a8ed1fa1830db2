import DrillCore

/// What the faults of hosts hold in a lab, beside what the hosts themselves know.
@LabActor
final class HostFaults {
    struct Port: Hashable {
        var host: HostName
        var network: NetworkName
    }

    var burdens: [HeldBurden] = []
    var burdenCount = 0
    var flaps: [Port: CarrierFlap] = [:]
    var throttles: [HostName: DiskThrottle] = [:]

    /// The lab ends: nothing is changed any more.
    ///
    /// - Returns: what could not be removed.
    func tearDown() -> [String] {
        for flap in flaps.values { flap.forget() }
        var left: [String] = []
        for throttle in throttles.values {
            do throws(LabFailure) {
                try throttle.remove()
            } catch {
                left.append(error.message)
            }
        }
        return left
    }
}
