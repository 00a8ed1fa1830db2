import CNetlink
package import DrillCore
import Glibc

/// What a kernel knows of netem.
package enum NetemSupport: Hashable, Sendable {
    case present
    case absent(NetlinkError)
    /// It could not be asked.
    case unknown(NetlinkError)

    /// Adds one to the loopback of a scratch namespace. A kernel that keeps it in a module loads that now.
    package static func probe() -> NetemSupport {
        do throws(NetlinkError) {
            let socket = try NetlinkSocket(in: NetworkNamespace.create())
            try socket.impair(socket.link(named: "lo").index, .none)
            return .present
        } catch {
            return error.errno == ENOENT ? .absent(error) : .unknown(error)
        }
    }
}

extension NetlinkSocket {
    /// Ours: a foreign root is EEXIST.
    private static let root = TrafficHandle(0xfd1e)
    private static let bucket = TrafficHandle(0xfd1f)
    private static let child = TrafficHandle(0xfd1e, 1)

    /// Makes netem the root of a device of ours (an ifb), or changes the one that is there, and reads back. What waits in
    /// it keeps its time; the kernel's random numbers begin again.
    ///
    /// A rate with a burst is a token bucket under netem, which has none of its own: `burst` bytes, or one packet of 1,514
    /// bytes if that is more, and at most 1,000 packets waiting for it.
    ///
    /// Throws EINVAL for what netem cannot do, ENOENT from a kernel without netem, EEXIST when another qdisc is the root,
    /// EPROTO when the kernel has something else than was set.
    package func impair(
        _ index: InterfaceIndex, _ impairment: Impairment, seed: UInt64? = nil
    ) throws(NetlinkError) {
        let netem = QdiscConfiguration.netem(try Netem(impairment, seed: seed))
        let found = try qdiscs(index)
        if found.contains(where: { $0.parent == .root && $0.handle == Self.root }) {
            try changeQdisc(index, handle: Self.root, netem)
        } else {
            try addQdisc(index, handle: Self.root, netem)
        }
        let hasBucket = found.contains { $0.parent == Self.child }
        if let bucket = try Self.bucket(impairment) {
            if hasBucket {
                try changeQdisc(index, parent: Self.child, handle: Self.bucket, bucket)
            } else {
                try addQdisc(index, parent: Self.child, handle: Self.bucket, bucket)
            }
        } else if hasBucket {
            try deleteQdisc(index, parent: Self.child, handle: Self.bucket)
        }
    }

    /// What `impair` made has let through and dropped so far; nil when it is gone.
    package func impairmentCounters(
        _ index: InterfaceIndex
    ) throws(NetlinkError) -> TrafficCounters? {
        try qdiscs(index).first { $0.parent == .root && $0.handle == Self.root }?.counters
    }

    /// Packets that wait in the device: in netem, and in what is under it. 0 where the device is gone.
    package func held(_ index: InterfaceIndex) throws(NetlinkError) -> Int {
        try qdiscs(index).reduce(0) { $0 + Int($1.counters?.queued ?? 0) }
    }

    /// Whether the kernel still has what `impair` set. It does not tell a distribution: only packets show that one.
    package func isImpaired(
        _ index: InterfaceIndex, _ impairment: Impairment, seed: UInt64? = nil
    ) throws(NetlinkError) -> Bool {
        let found = try qdiscs(index)
        let netem = QdiscConfiguration.netem(try Netem(impairment, seed: seed))
        let root = found.first { $0.parent == .root && $0.handle == Self.root }
        let child = found.first { $0.parent == Self.child }
        guard let root, netem.isMet(by: root.configuration) else { return false }
        guard let bucket = try Self.bucket(impairment) else { return child == nil }
        return child.map { bucket.isMet(by: $0.configuration) } ?? false
    }

    private static func bucket(
        _ impairment: Impairment
    ) throws(NetlinkError) -> QdiscConfiguration? {
        guard let rate = impairment.rate, rate.burst > 0 else { return nil }
        let burst = UInt32(clamping: max(rate.burst, 1_514))
        guard rate.bitsPerSecond >= 8 else {
            throw NetlinkError(
                operation: "describe the fault to tbf", errno: EINVAL,
                extendedAck: "a rate is at least 8 bit/s")
        }
        return .tbf(
            TokenBucket(
                rate: rate.bitsPerSecond / 8, burst: burst, limit: burst &+ 1_000 * 1_514))
    }
}
