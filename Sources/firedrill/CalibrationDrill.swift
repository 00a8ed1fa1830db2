import DrillAnalysis
import DrillCore
import DrillStore
import FoundationEssentials
import Glibc

/// One server, one client, and a cable that is cut for known times.
struct CalibrationDrill {
    private static let lengths: [Duration] = [
        .milliseconds(50), .milliseconds(100), .milliseconds(300), .milliseconds(1000),
    ]
    private static let rate = 1000.0
    private static let lostWrites = [1, 37]
    private let outages: Int
    private let seed: UInt64
    private let interrupts: Int32

    init(outages: Int, seed: UInt64, interrupts: Int32) {
        self.outages = outages
        self.seed = seed
        self.interrupts = interrupts
    }

    private let workload = Workload(
        name: "ping", client: "tcp",
        parameters: [
            "address": "10.79.0.11:6379", "send": "PING\\r\\n", "expect": "+PONG",
        ], rate: Self.rate, timeout: .milliseconds(100))

    func run(tell: (String) -> Void) throws -> CalibrationReport {
        let id = RunClock.newID(seed: seed)
        let folder = FileManager.default.temporaryDirectory.path + "/firedrill-calibrate-\(id)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lab = try LabSession(log: folder + "/lab.log", interrupts: interrupts)
        try build(lab, id, folder)
        let operations = folder + "/trial-1.ops"
        try lab.ask(
            .startLoad(
                "ping", "client",
                .run(LoadPlan(seed: seed, streams: [stream], output: operations))))
        let known = try interruptService(lab, tell)
        try lab.ask(.load("ping", .stop(at: .now)))
        let limit = RunInstant.now + .seconds(20)
        while !lab.loadEvents.contains(where: { if case .finished = $0 { true } else { false } }) {
            for case .failed(let why) in lab.loadEvents {
                throw Failure(code: .internalError, message: "load: \(why)")
            }
            guard RunInstant.now < limit else {
                throw Failure(code: .internalError, message: "the load did not end")
            }
            try lab.wait(until: RunInstant.now + .milliseconds(100))
        }
        if let left = try lab.tearDown() {
            throw Failure(code: .restoreFailed, message: "left behind: \(left)")
        }
        let contents = try OperationsFile.decode(try Files.read(operations))
        guard let stream = contents.streams.first, contents.isComplete else {
            throw Failure(code: .internalError, message: "\(operations) is not whole")
        }
        let samples = Calibration.measure(
            known, workload: workload, operations: stream.operations)
        tell("a store that loses writes")
        let store = CalibrationStore(folder: folder)
        let lost = try Self.lostWrites.enumerated().map { index, told in
            try store.lose(told, seed: seed &+ UInt64(index))
        }
        return CalibrationReport(
            at: RunClock.timestamp(), version: Version.text, kernel: RunClock.kernel(),
            rate: Self.rate, lengths: Self.lengths.map(\.milliseconds),
            outage: Calibration.compare(samples, \.outage),
            rto: Calibration.compare(samples, \.rto), lostWrites: lost)
    }

    private var stream: LoadStream {
        LoadStream(
            name: workload.streams[0], client: workload.client, parameters: workload.parameters,
            lane: .fresh, kind: .read, rate: workload.rate, arrival: .constant,
            timeout: workload.timeout, slow: workload.slow, connections: workload.connections,
            stable: Calibration.stable, k: 1, leastSent: 20)
    }

    private func build(_ lab: LabSession, _ id: RunID, _ folder: String) throws {
        func host(_ name: HostName, _ address: String, isClient: Bool) -> LabHost {
            LabHost(
                name: name,
                ports: [LabPort(network: "main", address: address, prefixLength: 24)],
                isClient: isClient)
        }
        try lab.ask(.hello(version: Version.text))
        try lab.ask(
            .build(
                LabSpec(
                    run: id, logs: folder,
                    networks: [Network(name: "main", subnet: "10.79.0.0/24")],
                    hosts: [
                        host("server", "10.79.0.11", isClient: false),
                        host("client", "10.79.0.100", isClient: true),
                    ])))
        // A witness answers PING and never does anything by itself.
        let address = "10.79.0.11"
        let service = ServiceInstance(
            directory: "/run/firedrill/server",
            run: [
                Files.beside("twin"), "node", "witness", "--address", address, "--peers",
                "10.79.0.12,10.79.0.13,\(address)", "--data", "/run/firedrill/server/data",
            ])
        try lab.ask(.start("server", "server", service))
        try lab.ask(
            .awaitReady("server", "server", .tcp(port: 6379), timeout: .seconds(10)))
    }

    private func interruptService(
        _ lab: LabSession, _ tell: (String) -> Void
    ) throws -> [Calibration.Known] {
        var random = SeededGenerator(seed: seed, stream: 7)
        var lengths = (0..<outages).map { Self.lengths[$0 % Self.lengths.count] }
        lengths.shuffle(using: &random)
        var known: [Calibration.Known] = []
        try lab.wait(until: RunInstant.now + .seconds(1))
        for (index, length) in lengths.enumerated() {
            // At any phase of the client's period.
            let pause = Calibration.margin * 2 + random.duration(upTo: .milliseconds(50))
            try lab.wait(until: RunInstant.now + pause)
            let began = try lab.ask(.perform(.lab(.silence("server")))).interval
            try lab.wait(until: began.high + length)
            let ended = try lab.ask(.perform(.lab(.unsilence("server")))).interval
            known.append(Calibration.Known(began: began, ended: ended))
            if (index + 1).isMultiple(of: 20) { tell("\(index + 1) of \(outages) outages") }
        }
        try lab.wait(until: RunInstant.now + Calibration.margin * 2)
        return known
    }
}
