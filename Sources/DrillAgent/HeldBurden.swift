import DrillCore
import Glibc

/// What a helper takes of a host.
enum HostBurden: Hashable, Sendable {
    case stress(Stress)
    case fill(DiskFill)

    /// A helper that nobody ends gives up by itself.
    private static let limit = Duration.seconds(3600)

    /// Of `firedrill-agent`.
    func arguments() throws(LabFailure) -> [String] {
        let limit = "\(Self.limit.nanoseconds / 1_000_000)"
        switch self {
        case .stress(.cpu(let workers, let load)):
            return ["stress", "cpu", limit, "\(workers)", "\(load)"]
        case .stress(.memory(let bytes)):
            let room = try MemoryRoom.now()
            if let why = room.refusal(of: bytes) {
                throw LabFailure(kind: .capability, message: why)
            }
            return ["stress", "memory", limit, "\(bytes)", "\(room.reserve)"]
        case .fill(let fill):
            return ["stress", "disk", limit, fill.folder] + fill.amount.words
        }
    }
}

/// A helper that holds something on a host, under what is frozen and killed with it.
@LabActor
final class HeldBurden {
    let host: HostName
    let burden: HostBurden
    let kernel: HostKernel
    let place: Cgroup
    let program: HostProgram
    /// Workers, or bytes, as it says.
    private let amount: Int64
    private var sample: CPUSample

    init(
        _ burden: HostBurden, on kernel: HostKernel, _ place: Cgroup, _ program: HostProgram,
        amount: Int64
    ) {
        host = kernel.host
        self.burden = burden
        self.kernel = kernel
        self.place = place
        self.program = program
        self.amount = amount
        sample = CPUSample(of: place)
    }

    var isGone: Bool { program.exit.value != nil || kernel.state == .dead }

    func end() async throws(LabFailure) {
        guard place.exists else { return }
        if try place.isPopulated() {
            try place.kill()
            try await place.waitUntilEmpty()
        }
        try place.remove()
    }

    // MARK: proof

    /// Over the time since it was begun or last looked at, so that its whole window is seen.
    func inspect() async throws(LabFailure) -> Inspection {
        if kernel.state == .dead {
            return Inspection(false, "host \(host) was killed, and the helper with it")
        }
        if let status = program.exit.value {
            return Inspection(false, "the helper ended with \(status)")
        }
        switch burden {
        case .stress(.cpu(_, let load)): return await inspectCPU(load)
        case .stress(.memory(let bytes)): return try inspectMemory(bytes)
        case .fill(let fill): return try inspectDisk(fill)
        }
    }

    private func inspectCPU(_ load: Double) async -> Inspection {
        let shortest = Duration.milliseconds(200)
        let age = .now - sample.at
        if age < shortest { await Reactor.shared.sleep(shortest - age) }
        let now = CPUSample(of: place)
        let seconds = Double((now.at - sample.at).nanoseconds)
        let got = Double(now.ran - sample.ran) / seconds
        let wanted = got + Double(now.waited - sample.waited) / seconds
        let length = now.at - sample.at
        sample = now
        let asked = Double(amount) * load
        // Who waits for a CPU loads it as well: on a busy machine the service feels just that.
        return Inspection(
            wanted >= 0.9 * asked && got >= 0.1 * asked,
            "\(amount) worker\(amount == 1 ? "" : "s") got \(Figure.decimal(got, 2)) CPUs and wanted \(Figure.decimal(wanted, 2)), asked \(Figure.decimal(asked, 2)), over \(Inspection.seconds(length))"
        )
    }

    private func inspectMemory(_ bytes: Int64) throws(LabFailure) -> Inspection {
        var held: Int64 = 0
        for pid in try place.processes() {
            let status = try Files.read("/proc/\(pid)/status")
            for line in status.split(separator: "\n")
            where line.hasPrefix("VmRSS:") || line.hasPrefix("VmSwap:") {
                held += Int64(line.split(separator: " ")[1]).map { $0 * 1024 } ?? 0
            }
        }
        let room = try MemoryRoom.now()
        return Inspection(
            held >= bytes,
            "holds \(ByteCount.text(held)), asked \(ByteCount.text(bytes)); \(ByteCount.text(room.available)) of \(ByteCount.text(room.total)) stay available"
        )
    }

    private func inspectDisk(_ fill: DiskFill) throws(LabFailure) -> Inspection {
        var size: Int64 = 0
        for pid in try place.processes() {
            for name in Files.list("/proc/\(pid)/fd") {
                var status = stat()
                if stat("/proc/\(pid)/fd/\(name)", &status) == 0,
                    status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 0
                {
                    size += Int64(status.st_blocks) * 512
                }
            }
        }
        let room = try FileSystemRoom.of(kernel.outside(fill.folder))
        var text =
            "a file of \(ByteCount.text(size)) in \(fill.folder), whose file system is \(Figure.percent(room.share)) used"
        var isProven = size >= amount
        switch fill.amount {
        case .bytes(let bytes): text += ", asked \(ByteCount.text(bytes))"
        case .used(let share):
            text += ", asked \(Figure.percent(share))"
            isProven = isProven && room.share >= share - 0.01
        }
        return Inspection(isProven, text)
    }
}

/// What a look at a change of a host found.
struct Inspection: Sendable {
    var isProven: Bool
    /// With figures.
    var sentence: String

    init(_ isProven: Bool, _ sentence: String) {
        self.isProven = isProven
        self.sentence = sentence
    }

    /// `310 ms`, `6.2 s`.
    static func seconds(_ duration: Duration) -> String {
        let milliseconds = Double(duration.nanoseconds) / 1e6
        return milliseconds < 1000
            ? "\(Figure.decimal(milliseconds, 0)) ms"
            : "\(Figure.decimal(milliseconds / 1000, 1)) s"
    }
}

/// How long the threads of a place have run and have waited for a CPU, in nanoseconds.
struct CPUSample: Sendable {
    var at: RunInstant
    var ran: Int64 = 0
    var waited: Int64 = 0

    @LabActor
    init(of place: Cgroup) {
        at = .now
        for pid in (try? place.processes()) ?? [] {
            for thread in Files.list("/proc/\(pid)/task") {
                guard let text = try? Files.read("/proc/\(pid)/task/\(thread)/schedstat")
                else { continue }
                let fields = text.split(separator: " ").prefix(2).compactMap { Int64($0) }
                guard fields.count == 2 else { continue }
                ran += fields[0]
                waited += fields[1]
            }
        }
    }
}
