package import TwinCore

/// What is to happen in a simulated pair, by its instant; what is due at the same instant happens in the order in which it
/// was put in. A binary heap: concrete, because a generic one costs ten times as much from another module.
package struct EventQueue: Sendable {
    package enum What: Sendable {
        /// The node's next deadline, unless it changed meanwhile (`ticket`).
        case tick(node: Int, ticket: UInt32)
        case deliver(Message)
        case write
        case begin(SimulatedFault)
        case end(SimulatedFault)
    }

    package struct Event: Sendable {
        package let at: Int64
        let order: UInt64
        package let what: What

        fileprivate func isBefore(_ other: Event) -> Bool {
            (at, order) < (other.at, other.order)
        }
    }

    private var heap: [Event] = []
    private var count: UInt64 = 0

    package init() { heap.reserveCapacity(128) }

    package var isEmpty: Bool { heap.isEmpty }

    package mutating func push(_ what: What, at: Int64) {
        heap.append(Event(at: at, order: count, what: what))
        count += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    package mutating func pop() -> Event? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return first }
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(heap[parent]) else { return first }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    package mutating func removeAll() { heap.removeAll(keepingCapacity: true) }
}
