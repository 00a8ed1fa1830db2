package import DrillCore

/// Packets by the time at which they go; those of one time in the order in which they came.
///
/// A binary heap: with jitter packets overtake one another, and adding one or taking the first is O(log n).
package struct HeldPackets: Sendable {
    private struct Entry {
        var time: Int64
        var order: UInt64
        var packet: Int32

        func goesBefore(_ other: Entry) -> Bool {
            time < other.time || (time == other.time && order < other.order)
        }
    }

    private var heap: [Entry] = []
    private var lastOrder: UInt64 = 0

    package init() {}

    package var count: Int { heap.count }

    /// When the first goes; nil: none is held.
    package var next: RunInstant? { heap.first.map { RunInstant(nanoseconds: $0.time) } }

    package mutating func add(_ packet: Int32, at instant: RunInstant) {
        lastOrder += 1
        let entry = Entry(time: instant.nanoseconds, order: lastOrder, packet: packet)
        heap.append(entry)
        var place = heap.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.goesBefore(heap[parent]) else { break }
            heap[place] = heap[parent]
            place = parent
        }
        heap[place] = entry
    }

    /// The next one whose time has come.
    package mutating func take(_ now: RunInstant) -> Int32? {
        guard let first = heap.first, first.time <= now.nanoseconds else { return nil }
        let entry = heap.removeLast()
        if !heap.isEmpty { sink(entry) }
        return first.packet
    }

    /// Puts the entry where it belongs from the top, whose own is gone.
    private mutating func sink(_ entry: Entry) {
        let count = heap.count
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < count else { break }
            if child + 1 < count, heap[child + 1].goesBefore(heap[child]) { child += 1 }
            guard heap[child].goesBefore(entry) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = entry
    }
}
