import DrillCore
import Glibc

/// A service on a host: what to start, what runs, what it printed last.
@LabActor
final class LabService {
    let host: HostName
    let name: ServiceName
    var instance: ServiceInstance
    /// The main process of the last start.
    var program: HostProgram?
    var isStarting = false
    private(set) var lastLines: [String] = []
    private let log: Descriptor
    private let heard: (String, InstantInterval) -> Void

    /// - Parameter heard: each line of its output.
    init(
        _ host: HostName, _ name: ServiceName, _ instance: ServiceInstance, logs: String,
        heard: @escaping (String, InstantInterval) -> Void
    ) throws(LabFailure) {
        self.host = host
        self.name = name
        self.instance = instance
        self.heard = heard
        log = try Descriptor.open(
            "\(logs)/\(host).\(name).log", O_WRONLY | O_CREAT | O_APPEND)
    }

    /// A line of its output, or of ours about it.
    func note(_ line: String, _ arrival: InstantInterval) {
        lastLines.append(line)
        if lastLines.count > 12 { lastLines.removeFirst() }
        do {
            try log.write("\(Self.stamp(arrival.high)) \(line)\n")
        } catch {
            // A full disk must not end the run; the line still counts for notices and messages.
            lastLines.append("(the log cannot be written: \(error.message))")
        }
        heard(line, arrival)
    }

    /// Seconds of the run's clock with microseconds.
    static func stamp(_ instant: RunInstant) -> String {
        let microseconds = instant.nanoseconds / 1000
        let fraction = String(microseconds % 1_000_000)
        return
            "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }

    /// For messages: what it said before it failed.
    var lastWords: String {
        lastLines.isEmpty
            ? "; it printed nothing"
            : "; its last output:\n  " + lastLines.joined(separator: "\n  ")
    }
}
