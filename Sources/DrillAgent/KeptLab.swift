import CLinux
import DrillCore
import Glibc

/// A lab that its controller told to stay, spoken to through its lab.sock.
enum KeptLab {
    /// More than the longest orderly end takes.
    static let patience = TestHooks.patience ?? .seconds(60)

    /// Sends one request and waits for its answer, which a supervisor that hangs or is stopped does not give: `timedOut`.
    static func ask(_ run: RunID, _ command: LabCommand) throws(LabFailure) -> LabReply {
        let folder = RunFolder(run: run)
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if number < 0 { throw systemFailure("make a socket") }
        let connection = Descriptor(number)
        let result = try withUnixAddress(folder.socketPath) { connect(number, $0, $1) }
        if result < 0 { throw systemFailure("connect to \(folder.socketPath)") }
        do {
            try connection.write(try JSONLine.encode(LabRequest(id: 1, command: command)) + "\n")
            var lines = LineSplitter()
            let deadline = RunInstant.now + patience
            while true {
                var entry = [clinux_poll(descriptor: number, asked: Int16(POLLIN), seen: 0)]
                let left = (deadline - .now).nanoseconds
                guard left > 0, clinux_ppoll(&entry, 1, left) != 0 else {
                    throw LabFailure(
                        kind: .timedOut,
                        message: "its supervisor did not answer within \(patience.spelled)")
                }
                let bytes = try connection.read()
                for line in lines.add(bytes) {
                    guard case .reply(let reply) = try JSONLine.decode(LabMessage.self, from: line)
                    else { continue }
                    if let failure = reply.failure { throw failure }
                    return reply
                }
                if bytes.isEmpty {
                    throw LabFailure(
                        kind: .failed, message: "its supervisor went without an answer")
                }
            }
        } catch let failure as LabFailure {
            throw failure
        } catch {
            throw LabFailure(kind: .failed, message: "\(error)")
        }
    }

    /// The one kept lab, or the one whose run begins so.
    static func find(_ prefix: String?) throws(LabFailure) -> RunID {
        let kept = try Orphans.find().filter { $0.state == .kept }.map(\.run)
        let matches = kept.filter { run in prefix.map { run.rawValue.hasPrefix($0) } ?? true }
        if matches.count == 1, let run = matches.first { return run }
        let list = kept.map(\.rawValue).joined(separator: ", ")
        let message: String
        if kept.isEmpty {
            message = "no lab is kept on this machine; run a scenario with --keep-lab first"
        } else if matches.isEmpty {
            message = "no kept lab is of run '\(prefix ?? "")'; there are: \(list)"
        } else {
            message = "several labs are kept: \(list); choose one with --run"
        }
        throw LabFailure(kind: .failed, message: message)
    }

    /// `shell HOST [--run RUN] [-- ARGV]`: the first process of the host, to enter it.
    static func process(of host: String, run: String?) throws(LabFailure) -> String {
        let reply = try ask(try find(run), .hello(version: LabSupervisor.version))
        let hosts = reply.detail.keys.filter { $0.hasPrefix("pid.") }.map { $0.dropFirst(4) }
            .sorted()
        guard let pid = reply.detail["pid.\(host)"] else {
            throw LabFailure(
                kind: .failed,
                message:
                    "the lab has no running host '\(host)'; its hosts are \(hosts.joined(separator: ", "))"
            )
        }
        return pid
    }
}
