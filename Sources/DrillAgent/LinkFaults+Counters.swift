import DrillCore
import DrillEmulator
import DrillNetlink

/// What became of all that was steered into a lane, the system's own traffic as well as the probes.
extension LinkFaults {
    /// In a sentence, for the proof; nil where nobody counts any more. Not asked for is what a full queue dropped.
    func met(_ traffic: TrafficSelector, on link: LinkDirection) async -> String? {
        guard let lane = lanes[link]?[traffic] else { return nil }
        var steered: UInt64 = 0
        for redirect in lane.redirects {
            guard let counters = try? netlink.counters(of: redirect) else { return nil }
            steered += counters.packets
        }
        let all = "all traffic on \(link): \(steered) packet\(steered == 1 ? "" : "s")"
        guard let device = lane.device else { return "\(all) cut" }
        let figures: [(Int, String)]
        switch device.backend {
        case .emulator:
            guard let counters = try? await emulator?.counters(device.name.rawValue) else {
                return nil
            }
            figures = [
                (counters.lost, "lost"), (counters.duplicated, "copied"),
                (counters.corrupted, "damaged"), (counters.reordered, "sent ahead"),
                (counters.overflowed + counters.unread, "dropped by a full queue"),
                (counters.refused, "refused by the kernel"),
            ]
        case .netem:
            guard let counters = try? netlink.impairmentCounters(device.index) else { return nil }
            figures = [(Int(counters.drops), "lost or dropped by a full queue")]
        }
        let parts = figures.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "\(all) met it, \(parts.isEmpty ? "none lost" : parts.joined(separator: ", "))"
    }
}
