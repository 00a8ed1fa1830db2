package import DrillCore

/// A kind of client: one file, and one line in the catalog.
package protocol Client: Sendable {
    static var description: ClientDescription { get }

    /// From a workload's own keys, names checked before.
    init(parameters: [String: String], lane: Lane) throws(ClientParameterError)

    /// A connection that is not yet open.
    func connection(_ workspace: ClientWorkspace) -> any ClientConnection
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

    /// Takes up an operation, and opens a connection first where there is none or a kept one has ended.
    func begin(_ request: ClientRequest) -> ClientTurn
    /// What `interest` waits for has come.
    func ready() -> ClientTurn
    /// Something has come on a kept connection between two operations: it has ended or strays. Closes it.
    func disturbed()
    /// Gives the operation and the connection up, at once and by reset.
    func close()
}

/// What is asked: the `number`-th operation of its stream, from 0.
package struct ClientRequest {
    package var kind: OperationKind
    package var number: Int
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

package struct ClientParameterError: Error, Hashable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}
