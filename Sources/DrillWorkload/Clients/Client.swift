package import DrillCore
import Glibc

/// A kind of client: one file, and one line in the catalog.
package protocol Client: Sendable {
    static var description: ClientDescription { get }

    /// From a workload's own keys, names checked before.
    init(parameters: [String: String], lane: Lane) throws(ClientParameterError)

    /// A connection that is not yet open.
    func connection(_ workspace: ClientWorkspace) -> any ClientConnection

    /// How many connections more than those under way a pool holds, so that one that begins anew need not carry the next
    /// operation before it is ready.
    func spares(rate: Double) -> Int
}

extension Client {
    package func spares(rate: Double) -> Int { 0 }
}

/// One connection as a state machine: a descriptor, what it waits for, and a turn when that has come.
///
/// Nothing in it blocks or waits for anything else. The deadline is the operation's and the engine's: it calls
/// `close` when that has passed. A connection carries one operation at a time.
package protocol ClientConnection: AnyObject {
    /// Negative while there is none.
    var descriptor: Int32 { get }
    /// Changes whenever the descriptor is a new one, even under the same number.
    var incarnation: UInt32 { get }
    var interest: ClientInterest { get }
    /// The host that answered the last operation, in the workspace's table; negative where it is not known.
    var answeredBy: Int { get }
    /// What the last answer to `ClientRequest.register` said, after `.decided(.ok)`; nil for other operations.
    var registerAnswer: RegisterAnswer? { get }
    /// When the connection wants a turn although nothing has come, on CLOCK_MONOTONIC; `Int64.max`: never.
    var wake: Int64 { get }
    /// It has begun anew and may not be ready: others are used before it.
    var isNew: Bool { get }

    /// Takes up an operation, and opens a connection first where there is none or a kept one has ended.
    func begin(_ request: ClientRequest) -> ClientTurn
    /// What `interest` waits for has come.
    func ready() -> ClientTurn
    /// `wake` has come, within an operation.
    func woken() -> ClientTurn
    /// Something has come on a kept connection between two operations: it has ended or strays. Closes it.
    func disturbed()
    /// Gives the operation and the connection up, at once and by reset.
    func close()
}

extension ClientConnection {
    package var registerAnswer: RegisterAnswer? { nil }
    package var wake: Int64 { .max }
    package var isNew: Bool { false }
    package func woken() -> ClientTurn { .waiting }
}

/// What is asked: the `number`-th operation of its stream, from 0.
package struct ClientRequest {
    package var kind: OperationKind
    package var number: Int
    /// What a ledger writes; nil for other operations.
    package var entry: LedgerEntry?
    /// What a register workload asks; nil for other operations.
    package var register: RegisterRequest?
    /// When the engine gives it up; nil: nobody said.
    package var deadline: RunInstant?

    package init(
        kind: OperationKind, number: Int, entry: LedgerEntry? = nil,
        register: RegisterRequest? = nil, deadline: RunInstant? = nil
    ) {
        self.kind = kind
        self.number = number
        self.entry = entry
        self.register = register
        self.deadline = deadline
    }
}

/// One operation on one register: it takes effect at one instant between request and answer, or not at all.
package struct RegisterRequest: Hashable, Sendable {
    package var key: String
    package var action: RegisterAction

    package init(key: String, action: RegisterAction) {
        self.key = key
        self.action = action
    }
}

package struct ClientInterest: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The bits of epoll.
    package static let read = ClientInterest(rawValue: 0x001)
    package static let write = ClientInterest(rawValue: 0x004)
}

package enum ClientTurn: Equatable {
    /// For `interest`.
    case waiting
    case decided(ClientAnswer)
}

/// How an operation ended, before the engine looks at what kind it was.
package enum ClientAnswer: Equatable {
    case ok
    /// By a reply that says that nothing was done.
    case refused
    /// In any other way, after something was handed to the kernel.
    case broken
    /// This host could not send it at all.
    case unable
}

extension ClientAnswer {
    /// Of a system call that failed: a shortage of this host is no answer of the network.
    init(error: Int32) {
        let shortages = [EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM]
        self = shortages.contains(error) ? .unable : .broken
    }
}

package struct ClientParameterError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// A client of a store: beside its connections it has sessions, for all that is not measured.
package protocol StoreClient: Client {
    /// The strongest kind of read that `ClientSession.read` uses, in the store's own words.
    static var readLevel: String { get }

    /// A session that is open; it may take as long as `timeout`, and so may each of its questions.
    func session(
        _ target: SessionTarget, timeout: Duration
    ) throws(SessionError) -> any ClientSession

    /// Between two sessions with one server that goes on beside the engine.
    var sessionPause: Duration { get }
}

extension StoreClient {
    package var sessionPause: Duration { .milliseconds(100) }
}

package enum SessionTarget: Hashable, Sendable {
    /// Where the workload's operations go: the primary.
    case endpoint
    /// One server by itself, whatever its role, on the port that the parameters name.
    case server(LoadServer)
}

/// A blocking conversation with one server, on a thread of its own: making the table, reading back, asking who it is.
package protocol ClientSession: AnyObject {
    /// What tells this start of this server from every other: a run id, a start time. The same text as
    /// `ClientConnection.answeredBy`'s host.
    func identity() throws(SessionError) -> String
    /// Of a server whose protocol has terms in each of which one leads at most: its own, once `identity` has answered.
    var term: Int64? { get }
    /// Makes what a ledger needs (a table); does nothing where it is there.
    func prepare() throws(SessionError)
    func write(_ entry: LedgerEntry) throws(SessionError)
    /// The values that are there, by key; from an endpoint by the strongest read that the store has.
    func read(_ keys: [String]) throws(SessionError) -> [String: String]
    /// How many keys may be read at once without waiting much longer than one question takes.
    var keysOfQuestion: Int { get }
    /// The first field of the first row that the question's keys (`sql`, `command`) ask for.
    func query(_ parameters: [String: String]) throws(SessionError) -> String
    func close()
}

extension ClientSession {
    package var term: Int64? { nil }
    package var keysOfQuestion: Int { 1000 }
}

package struct SessionError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    /// The host lives, and its server does not serve: the connection was refused or ended, or the server said that it starts
    /// or ends. Neither silence nor another error (too many clients, a time-out of its own) tells who holds a role.
    package var isRefusal: Bool
    /// However often it is asked: this client cannot.
    package var isFinal: Bool

    package init(_ description: String, isRefusal: Bool = false, isFinal: Bool = false) {
        self.description = description
        self.isRefusal = isRefusal
        self.isFinal = isFinal
    }
}
