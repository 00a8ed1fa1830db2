package import DrillCore

/// The host's disk is slow.
package enum DiskSlow: Fault {
    package static let description = FaultDescription(
        name: "disk.slow", summary: "the host's disk reads and writes no faster than a rate",
        target: .host,
        parameters: [
            .init(
                "rate", .size, required: true,
                summary: "bytes a second that may be read, and as many that may be written")
        ],
        isCondition: true, instant: "[limit requested, all processes under it]",
        example: "host: primary, rate: 1MB, for: 20s",
        notes: [
            "It needs cgroup v2's io controller, or blkio of cgroup v1, and the lab's files on a block device.",
            "blkio slows what waits for the disk: reads, O_DIRECT and fsync; what is only written into the page cache is not held up.",
            "/run, /tmp and /dev/shm of a lab host are memory, and as fast as ever; a service's own folder is on the disk.",
        ], needs: [.diskLimits])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let rate = try use.needed(use.size("rate"), "rate", "1MB")
        guard rate >= 64_000 else {
            throw FaultError(
                "'rate' must be 64kB a second or more: one block would take seconds",
                parameter: "rate")
        }
        return .burden(host, .throttleDisk(bytesPerSecond: UInt64(rate)))
    }
}
