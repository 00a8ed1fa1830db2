import TwinCore

/// What is to happen in a simulated pair, by its instant; what is due at the same instant happens in the order in which it
/// was put in. A binary heap of small entries, concrete, with the messages beside it: a generic one costs ten times as much
/// from another module.
struct EventQueue: Sendable {
    enum What: Sendable {
        case deliver(Message)
        case write
        /// Of the plan's faults, by place.
        case begin(Int)
        case end(Int)
    }

    private struct Entry: Sendable {
        let at: Int64
        let order: UInt32
        /// In the upper 8 bits which of `What`, in the lower ones its place.
        let what: UInt32

        func isBefore(_ other: Entry) -> Bool {
            at < other.at || (at == other.at && order < other.order)
        }
    }

    private var heap: [Entry] = []
    private var messages: [Message] = []
    private var free: [UInt32] = []
    private var count: UInt32 = 0

    init() {
        heap.reserveCapacity(64)
        messages.reserveCapacity(64)
        free.reserveCapacity(64)
    }

    /// Of what happens next; `.max` where nothing is to happen.
    var next: Int64 { heap.isEmpty ? .max : heap[0].at }

    mutating func deliver(_ message: Message, at: Int64) {
        if let place = free.popLast() {
            messages[Int(place)] = message
            push(place, at)
        } else {
            messages.append(message)
            push(UInt32(messages.count - 1), at)
        }
    }

    mutating func write(at: Int64) { push(1 << 24, at) }
    mutating func begin(_ fault: Int, at: Int64) { push(2 << 24 | UInt32(fault), at) }
    mutating func end(_ fault: Int, at: Int64) { push(3 << 24 | UInt32(fault), at) }

    private mutating func push(_ what: UInt32, _ at: Int64) {
        let entry = Entry(at: at, order: count, what: what)
        count += 1
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            heap[child] = heap[parent]
            child = parent
        }
        heap[child] = entry
    }

    /// Only where `next` is an instant.
    mutating func pop() -> What {
        let what = heap[0].what
        let last = heap.removeLast()
        if !heap.isEmpty {
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
                guard heap[child].isBefore(last) else { break }
                heap[parent] = heap[child]
                parent = child
            }
            heap[parent] = last
        }
        let place = what & 0xFF_FFFF
        switch what >> 24 {
        case 0:
            free.append(place)
            return .deliver(messages[Int(place)])
        case 1: return .write
        case 2: return .begin(Int(place))
        case _: return .end(Int(place))
        }
    }

    mutating func removeAll() {
        heap.removeAll(keepingCapacity: true)
        messages.removeAll(keepingCapacity: true)
        free.removeAll(keepingCapacity: true)
        count = 0
    }
}
