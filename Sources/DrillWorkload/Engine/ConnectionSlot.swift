/// A place for one connection of a stream's pool, and what the event queue knows of it.
struct ConnectionSlot {
    let connection: any ClientConnection
    let stream: Int
    /// The number of the operation that it carries; negative while it is free.
    var operation = -1
    /// The descriptor's incarnation and interest as the event queue has them.
    var watched: UInt32 = 0
    var isWatched = false
    var interest: ClientInterest = []
    /// The instant that the connection asked for.
    var wake = Int64.max
}
