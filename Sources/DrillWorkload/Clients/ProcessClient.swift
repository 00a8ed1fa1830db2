package import DrillCore

/// The user's own client in any language: a program that takes one line of JSON for each operation on its standard input and
/// answers it with one on its standard output (docs/CLIENTS.md).
///
/// A connection is a program that runs, started ahead; it has one operation at a time. One that is silent until the
/// operation's end is killed, and another one is started in its place, a few a second at most: what cannot be started
/// has not sent its operation, which is no failure of the system's.
package struct ProcessClient: StoreClient {
    package static let description = ClientDescription(
        name: "process", summary: "a program of yours, asked in lines of JSON",
        parameters: [
            .init(
                "command", .command, required: true,
                summary: "the program and its arguments; one runs for each connection"),
            .init("key", .text, default: "firedrill", summary: "what operation get reads"),
            .init(
                "servers", .word(["no", "yes"]), default: "no",
                summary: "yes: it can ask one server by itself, when a request names it"),
        ],
        operations: [.get, .ledger, .register])

    package static let readLevel = "the program's own"

    private let settings: ProcessSettings
    private let lane: Lane
    private let starts: ProcessStarts

    package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
        settings = try ProcessSettings(parameters)
        self.lane = lane
        starts = ProcessStarts()
    }

    package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
        ProcessConnection(settings, lane, starts, workspace)
    }

    /// What is killed in a second of silence: a program has at least this second from its start to its first question.
    package func spares(rate: Double) -> Int {
        Int(min(rate, ProcessStarts.perSecond).rounded(.up))
    }

    /// Each one starts a program.
    package var sessionPause: Duration { .seconds(2) }

    package func session(
        _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) -> any ClientSession {
        try ProcessSession(settings, target, timeout: timeout)
    }
}

/// What a person wrote about a process client, read.
struct ProcessSettings: Sendable {
    /// Not empty; nil: no endpoint.
    let command: [String]
    let key: String
    let asksServers: Bool

    init(_ parameters: [String: String]) throws(ClientParameterError) {
        key = parameters["key", default: "firedrill"]
        asksServers = parameters["servers"] == "yes"
        guard let text = parameters["command"] else {
            throw ClientParameterError("client process needs 'command'")
        }
        do {
            command = try JSONLine.decode([String].self, from: text)
        } catch {
            throw ClientParameterError("'command' must be a list of texts, not '\(text)'")
        }
        guard let program = command.first, !program.isEmpty else {
            throw ClientParameterError("'command' names no program")
        }
        if command.contains(where: { $0.utf8.contains(0) }) {
            throw ClientParameterError("'command' holds a zero byte")
        }
    }
}
