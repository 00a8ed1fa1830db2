import CLinux
import DrillCore
import Glibc
import Testing

/// `firedrill-agent lab` as a child, spoken to as the controller does.
final class Supervisor {
    let process: pid_t
    private(set) var events: [LabEvent] = []
    private var input: Int32
    private let output: Int32
    private var buffer: [UInt8] = []
    private var replies: [Int: LabReply] = [:]
    private var lastID = 0
    private var status: Int32?

    init() throws {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        try #require(clinux_pipe(&toChild) == 0 && clinux_pipe(&fromChild) == 0)
        process = try Programs.spawn(
            [try Programs.agent, "lab"], input: toChild[0], output: fromChild[1])
        close(toChild[0])
        close(fromChild[1])
        input = toChild[1]
        output = fromChild[0]
    }

    deinit {
        closeInput()
        if status == nil { _ = waitForEnd() }
        close(output)
    }

    // MARK: asking

    @discardableResult
    func send(_ command: LabCommand) throws -> Int {
        lastID += 1
        let line = try JSONLine.encode(LabRequest(id: lastID, command: command)) + "\n"
        let bytes = Array(line.utf8)
        try #require(write(input, bytes, bytes.count) == bytes.count)
        return lastID
    }

    func reply(to id: Int, within limit: Duration = .seconds(20)) throws -> LabReply {
        let deadline = RunInstant.now + limit
        while replies[id] == nil {
            try #require(RunInstant.now < deadline, "no reply to request \(id)")
            try #require(try receive(until: deadline), "the supervisor is gone")
        }
        return try #require(replies[id])
    }

    /// Carried out, or the test fails with what the supervisor said.
    @discardableResult
    func ask(_ command: LabCommand) throws -> LabReply {
        let reply = try reply(to: try send(command))
        try #require(reply.failure == nil, "\(command): \(reply.failure?.message ?? "")")
        return reply
    }

    func failure(of command: LabCommand) throws -> LabFailure {
        try #require(try reply(to: try send(command)).failure, "\(command) did not fail")
    }

    @discardableResult
    func lab(_ operation: LabOperation) throws -> LabReply { try ask(.perform(.lab(operation))) }

    @discardableResult
    func on(_ host: HostName, _ operation: HostOperation) throws -> LabReply {
        try ask(.perform(.host(host, operation)))
    }

    /// Standard output of a program that must succeed.
    @discardableResult
    func run(_ host: HostName, _ arguments: String...) throws -> String {
        let reply = try ask(.execute(host, arguments, timeout: .seconds(5)))
        try #require(reply.status == 0, "\(arguments): \(reply.output ?? "")")
        return reply.output ?? ""
    }

    func reach(_ from: HostName, _ address: String) throws -> Reach {
        let detail = try ask(.reach(from: from, address: address, duration: .milliseconds(200)))
            .detail
        return Reach(
            asked: Int(detail["asked"] ?? "") ?? -1, answered: Int(detail["answered"] ?? "") ?? -1,
            arp: Int(detail["arp_answered"] ?? "") ?? -1,
            tcp: Int(detail["tcp_answered"] ?? "") ?? -1)
    }

    struct Reach: Equatable {
        var asked: Int
        var answered: Int
        var arp: Int
        var tcp: Int
        /// Ten questions a hundred milliseconds; a busy machine asks fewer.
        var isSilent: Bool { asked >= 8 && answered == 0 }
        var isFull: Bool { asked >= 8 && answered == asked }
    }

    // MARK: events

    /// The first event for which the body has a value, among those that came and that come within the limit.
    func event<Value>(
        within limit: Duration = .seconds(5), _ body: (LabEvent) -> Value?
    ) throws -> Value? {
        let deadline = RunInstant.now + limit
        var seen = 0
        while true {
            while seen < events.count {
                if let value = body(events[seen]) { return value }
                seen += 1
            }
            if RunInstant.now >= deadline { return nil }
            if try !receive(until: deadline) { return nil }
        }
    }

    func forgetEvents() { events = [] }

    /// Reads for a while.
    func listen(for duration: Duration) throws {
        let deadline = RunInstant.now + duration
        while RunInstant.now < deadline, try receive(until: deadline) {}
    }

    /// False at the end of the file; true where something came or the time is over.
    private func receive(until deadline: RunInstant) throws -> Bool {
        var entry = clinux_poll(descriptor: output, asked: Int16(POLLIN), seen: 0)
        guard clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds)) > 0 else {
            return true
        }
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = read(output, &chunk, chunk.count)
        if count <= 0 { return false }
        buffer += chunk[..<count]
        while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeSubrange(...end)
            switch try JSONLine.decode(LabMessage.self, from: line) {
            case .reply(let reply): replies[reply.id] = reply
            case .event(let event): events.append(event)
            }
        }
        return true
    }

    // MARK: the end

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    func signal(_ number: Int32) { kill(process, number) }

    /// The exit code or 128 + signal; waits for at most ten seconds, then kills.
    func waitForEnd() -> Int32 {
        if let status { return status }
        let status = Programs.wait(process, within: .seconds(10))
        self.status = status
        return status
    }
}
