/// An operation between its dispatch and the file. Instants are nanoseconds of the run's clock: this is the
/// path that every operation takes.
struct UndecidedOperation {
    static let unset = Int64.min

    var intended: Int64
    var dispatched: Int64
    var sent = Self.unset
    var completed = Self.unset
    var state = State.waiting
    /// The connection that carries it.
    var slot: Int32 = -1
    /// The answering host in the workspace's table.
    var host: Int32 = -1

    enum State: UInt8 {
        case waiting, sent, ok, failed, indeterminate, unsentConnection, unsentGenerator
    }

    var isDecided: Bool { state.rawValue > State.sent.rawValue }
}

/// The operations of a stream from the oldest undecided one on, by their number in the stream.
///
/// A time-out is the same for all of a stream, so the oldest is also the next to expire: no heap is needed. And
/// they leave in the order of their intended instants, so what is in the file is always a prefix without holes.
struct UndecidedQueue {
    private var ring: [UndecidedOperation]
    private var mask: Int
    /// The number of the oldest.
    private(set) var head = 0
    /// One past the number of the newest.
    private(set) var tail = 0

    init(capacity: Int) {
        var size = 64
        while size < capacity { size *= 2 }
        ring = Array(repeating: UndecidedOperation(intended: 0, dispatched: 0), count: size)
        mask = size - 1
    }

    var isEmpty: Bool { head == tail }

    subscript(number: Int) -> UndecidedOperation {
        get { ring[number & mask] }
        set { ring[number & mask] = newValue }
    }

    mutating func append(_ operation: UndecidedOperation) {
        if tail - head == ring.count { grow() }
        ring[tail & mask] = operation
        tail += 1
    }

    mutating func removeFirst() { head += 1 }

    private mutating func grow() {
        var larger = Array(
            repeating: UndecidedOperation(intended: 0, dispatched: 0), count: ring.count * 2)
        let newMask = larger.count - 1
        for number in head..<tail { larger[number & newMask] = ring[number & mask] }
        ring = larger
        mask = newMask
    }
}
