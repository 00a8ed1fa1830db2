import CLinux
import DrillCore
import Glibc

/// `stress …`: what a host fault holds on a host, in a process of its own, so that the kernel takes all of it back with the process.
///
/// It says `ready` when it holds everything, or why it cannot. It ends when nobody hears it any more, when `LIMIT` is
/// over, or when it is killed; the host's end is its own.
enum StressProgram {
    /// `stress cpu LIMIT WORKERS LOAD`, `stress memory LIMIT BYTES KEEP`, `stress disk LIMIT FOLDER bytes|used AMOUNT`;
    /// LIMIT in milliseconds, KEEP the bytes of memory that stay available.
    static func main(_ arguments: [String]) -> Int32 {
        guard arguments.count >= 3, let limit = Int64(arguments[1]) else { return 64 }
        let rest = Array(arguments.dropFirst(2))
        let listener = Descriptor(1)
        defer { withExtendedLifetime(listener) {} }
        do throws(LabFailure) {
            switch arguments[0] {
            case "cpu":
                guard rest.count == 2, let workers = Int(rest[0]), let load = Double(rest[1])
                else { return 64 }
                let begun = try CPUStress.begin(workers: workers, load: load)
                try listener.write("ready \(begun)\n")
                hold(for: .milliseconds(limit)) {}
            case "memory":
                guard rest.count == 2, let bytes = Int(rest[0]), let keep = Int64(rest[1])
                else { return 64 }
                let stress = try MemoryStress(bytes: bytes, keep: keep)
                try listener.write("ready \(bytes)\n")
                hold(for: .milliseconds(limit)) { stress.touch() }
            case "disk":
                guard rest.count == 3, let amount = DiskFill.Amount(rest[1], rest[2])
                else { return 64 }
                let stress = try DiskStress(DiskFill(folder: rest[0], amount: amount))
                try listener.write("ready \(stress.size)\n")
                hold(for: .milliseconds(limit)) { stress.giveBack() }
            default: return 64
            }
            return 0
        } catch {
            // Whoever started it may be gone; then there is nobody to tell.
            try? listener.write("\(error.kind.rawValue) \(error.message)\n")
            return 1
        }
    }

    private static func hold(for limit: Duration, _ again: () -> Void) {
        let end = RunInstant.now + limit
        while RunInstant.now < end {
            // A pipe that nobody reads is an error on its writing end.
            var entry = clinux_poll(descriptor: 1, asked: 0, seen: 0)
            if clinux_ppoll(&entry, 1, 200_000_000) > 0 { return }
            again()
        }
    }
}

extension DiskFill.Amount {
    /// As words for the helper.
    var words: [String] {
        switch self {
        case .bytes(let bytes): ["bytes", "\(bytes)"]
        case .used(let share): ["used", "\(share)"]
        }
    }

    init?(_ kind: String, _ amount: String) {
        switch kind {
        case "bytes":
            guard let bytes = Int64(amount) else { return nil }
            self = .bytes(bytes)
        case "used":
            guard let share = Double(amount) else { return nil }
            self = .used(share)
        default: return nil
        }
    }
}
