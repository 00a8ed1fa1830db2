package import DrillCore

/// A file system of the host is full, or nearly so.
package enum DiskFullness: Fault {
    package static let description = FaultDescription(
        name: "disk.fill", summary: "a file takes room on one of the host's file systems",
        target: .host,
        parameters: [
            .init(
                "folder", .path, required: true,
                summary: "on the file system that is filled, as the host sees it"),
            .init("size", .size, summary: "how much is taken; one of size and used"),
            .init(
                "used", .ratio, summary: "how full it is then, as df counts; one of size and used"),
        ],
        isCondition: true, instant: "[helper asked for, all of it written]",
        example: "host: primary, folder: /run, used: 99%, for: 20s",
        notes: [
            "/run, /tmp and /dev/shm of a lab host are its own and may be filled to the last byte; they are kept in memory.",
            "Every other file system is the machine's: its last 5 % are never taken, whoever fills it.",
            "The file has no name: it is gone as soon as the helper is, also after a crash.",
        ])

    package static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan {
        let host = try targets.host(for: use.fault)
        let folder = try use.needed(use.text("folder"), "folder", "/tmp")
        let amount: DiskFill.Amount
        switch (try use.size("size"), try use.ratio("used")) {
        case (let size?, nil):
            guard size > 0 else {
                throw FaultError("'size' must be more than 0", parameter: "size")
            }
            amount = .bytes(size)
        case (nil, let used?):
            guard used > 0 else {
                throw FaultError("'used' must be more than 0 %", parameter: "used")
            }
            amount = .used(used)
        case (nil, nil):
            throw FaultError(
                "disk.fill needs 'size' or 'used'", hint: "such as size: 512MB, or used: 90%")
        case (_?, _?):
            throw FaultError("disk.fill has both 'size' and 'used'", parameter: "used")
        }
        return .burden(host, .fillDisk(DiskFill(folder: folder, amount: amount)))
    }
}
