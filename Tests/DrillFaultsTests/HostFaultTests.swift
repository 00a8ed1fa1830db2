import DrillCore
import DrillFaults
import Testing

private let topology = Topology(
    hosts: ["a", "b"], networks: ["main"],
    addresses: ["a": ["main": "10.77.0.11"], "b": ["main": "10.77.0.12"]],
    services: ["a": ["web"], "b": ["web"]], among: ["a", "b"])

private func use(_ fault: String, _ parameters: [String: String]) -> FaultUse {
    FaultUse(fault: fault, target: .host(.host("a")), parameters: parameters)
}

private func plan(_ fault: String, _ parameters: [String: String]) throws -> FaultPlan {
    try #require(FaultCatalog.named(fault)).plan(
        use(fault, parameters), targets: .host("a"), topology: topology)
}

@Test(
    arguments: [
        ("cpu.stress", [:], .beginStress(.cpu(workers: 0, load: 1))),
        ("cpu.stress", ["workers": "2", "load": "50%"], .beginStress(.cpu(workers: 2, load: 0.5))),
        ("memory.stress", ["size": "512MB"], .beginStress(.memory(bytes: 512_000_000))),
        (
            "disk.fill", ["folder": "/tmp", "size": "64MiB"],
            .fillDisk(DiskFill(folder: "/tmp", amount: .bytes(67_108_864)))
        ),
        (
            "disk.fill", ["folder": "/run", "used": "99%"],
            .fillDisk(DiskFill(folder: "/run", amount: .used(0.99)))
        ),
        ("disk.slow", ["rate": "1MB"], .throttleDisk(bytesPerSecond: 1_000_000)),
        (
            "clock.skew", ["service": "web", "offset": "-90s"],
            .skewClock("web", offset: .seconds(-90))
        ),
    ] as [(String, [String: String], HostOperation)])
func `a fault of a host is one change, its inverse, and a look at it`(
    fault: String, parameters: [String: String], operation: HostOperation
) throws {
    let plan = try plan(fault, parameters)
    let inject = FaultOperation.host("a", operation)
    #expect(plan.inject == [inject])
    #expect(plan.heal == [try #require(inject.inverse)])
    #expect(plan.proof == ProofPlan(inspections: [inject]))
}

@Test func `a command is undone by the user's own undo, and its effect is not claimed`() throws {
    let plan = try plan(
        "command",
        ["run": #"["touch","/run/a b"]"#, "undo": #"["rm","-f","/run/a b"]"#])
    #expect(
        plan.inject == [
            .host("a", .command(["touch", "/run/a b"], undo: ["rm", "-f", "/run/a b"]))
        ])
    #expect(plan.heal == [.host("a", .undo(["rm", "-f", "/run/a b"]))])
    #expect(plan.proof == ProofPlan())
}

@Test(
    arguments: [
        ("cpu.stress", ["workers": "0"], "'workers' must be from 1 to 1024"),
        ("cpu.stress", ["load": "0%"], "'load' must be 1 % or more"),
        ("memory.stress", [:], "memory.stress needs 'size'"),
        ("memory.stress", ["size": "1kB"], "'size' must be 1MB or more"),
        ("disk.fill", ["size": "1MB"], "disk.fill needs 'folder'"),
        ("disk.fill", ["folder": "/tmp"], "disk.fill needs 'size' or 'used'"),
        (
            "disk.fill", ["folder": "/tmp", "size": "1MB", "used": "10%"],
            "disk.fill has both 'size' and 'used'"
        ),
        (
            "disk.slow", ["rate": "1kB"],
            "'rate' must be 64kB a second or more: one block would take seconds"
        ),
        (
            "clock.skew", ["service": "web", "offset": "50ms"],
            "'offset' must be 100ms or more either way: less cannot be proven"
        ),
        ("clock.skew", ["offset": "90s"], "clock.skew needs 'service'"),
        (
            "command", ["run": "[]", "undo": #"["true"]"#],
            "'run' must be a list: a program and its arguments"
        ),
        ("command", ["run": #"["true"]"#], "command needs 'undo'"),
    ] as [(String, [String: String], String)])
func `what a host cannot be asked for is named`(
    fault: String, parameters: [String: String], message: String
) {
    let error = #expect(throws: FaultError.self) { try plan(fault, parameters) }
    #expect(error?.description == message)
}

@Test func `only a wrong clock needs its service prepared`() {
    for fault in FaultCatalog.all {
        let name = fault.description.name
        let wanted = fault.preparation(use(name, ["service": "web"]))
        #expect((wanted?.service == "web") == (name == "clock.skew"), "\(name)")
    }
}
