/// What can happen to a simulated pair. Nodes: 0 and 1 hold data, 2 is the witness.
package enum SimulatedFault: Hashable, Sendable {
    /// Loses its memory, in the middle of what it does; its disk stays.
    case crash(node: Int)
    /// Does nothing for a while, and then what came meanwhile.
    case pause(node: Int)
    /// Nothing gets from one to the other.
    case cut(from: Int, to: Int)
    /// Replication between the two, both ways; heartbeats flow.
    case cutReplication
    /// Of each message, parts in 1,000; replication breaks with the first one.
    case loss(permille: Int)
    /// Each message up to so much later, ns: datagrams overtake each other.
    case delay(most: Int64)
    case switchover
}
