import CLinux
import DrillCore
import Glibc
import Testing

/// `firedrill-agent agent` on a machine of the test's, spoken to as a controller does.
final class HostAgentProcess {
    let run: RunID
    let process: pid_t
    private var input: Int32
    private let output: Int32
    private var buffer: [UInt8] = []
    private var lastID = 0

    convenience init(
        on machine: Machine, _ arguments: [String] = [], connection: String? = nil
    ) throws {
        try self.init(prefix: machine.prefix, arguments, connection: connection)
    }

    /// - Parameter prefix: what starts a program on the machine.
    init(prefix: [String], _ arguments: [String] = [], connection: String? = nil) throws {
        run = RunID("test-agent-\(UInt32.random(in: 0..<UInt32.max))")
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        try #require(clinux_pipe(&toChild) == 0 && clinux_pipe(&fromChild) == 0)
        let environment = connection.map { ["/usr/bin/env", "SSH_CONNECTION=\($0)"] } ?? []
        process = try Programs.spawn(
            environment + prefix + [try Programs.agent, "agent"] + arguments,
            input: toChild[0], output: fromChild[1])
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        output = fromChild[0]
    }

    deinit {
        closeInput()
        close(output)
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    var watchdog: pid_t? { part("watchdog") }

    /// `firedrill-agent WORD …`: the agent itself, or what it started.
    func part(_ word: String) -> pid_t? {
        var traces = MachineTraces()
        traces.collectTree(of: process)
        return traces.processes.first { pid in
            let words = ((try? Programs.text("/proc/\(pid)/cmdline")) ?? "").split(separator: "\0")
            return words.count > 1 && words[0].hasSuffix("firedrill-agent") && words[1] == word
        }
    }

    /// The reply, failures too.
    func reply(to command: AgentCommand) throws -> LabReply {
        lastID += 1
        let bytes = Array(
            (try JSONLine.encode(AgentRequest(id: lastID, command: command)) + "\n").utf8)
        try #require(write(input, bytes, bytes.count) == bytes.count)
        let deadline = RunInstant.now + .seconds(10)
        while true {
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeSubrange(...end)
                if case .reply(let reply) = try JSONLine.decode(LabMessage.self, from: line),
                    reply.id == lastID
                {
                    return reply
                }
            }
            var entry = clinux_poll(descriptor: output, asked: Int16(POLLIN), seen: 0)
            let left = (deadline - .now).nanoseconds
            try #require(left > 0 && clinux_ppoll(&entry, 1, left) > 0, "no reply to \(command)")
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = read(output, &chunk, chunk.count)
            try #require(count > 0, "the agent is gone")
            buffer += chunk[..<count]
        }
    }

    @discardableResult
    func ask(_ command: AgentCommand) throws -> LabReply {
        let reply = try reply(to: command)
        try #require(reply.failure == nil, "\(command): \(reply.failure?.message ?? "")")
        return reply
    }

    func refusal(of command: AgentCommand) throws -> LabFailure {
        try #require(try reply(to: command).failure, "\(command) did not fail")
    }

    func waitForEnd() -> Int32 { Programs.wait(process, within: .seconds(15)) }
}
