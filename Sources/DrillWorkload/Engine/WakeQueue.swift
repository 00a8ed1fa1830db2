/// Instants at which connections want a turn, the earliest first: a binary heap.
///
/// Nothing is taken out before its time; who takes one compares it with what its connection asks for by then.
struct WakeQueue {
    struct Entry {
        var instant: Int64
        var slot: Int
    }

    private var heap: [Entry] = []

    /// `Int64.max` while it is empty.
    var next: Int64 { heap.first?.instant ?? .max }

    mutating func insert(at instant: Int64, slot: Int) {
        heap.append(Entry(instant: instant, slot: slot))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].instant < heap[parent].instant else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest, if its time has come.
    mutating func popDue(_ now: Int64) -> Entry? {
        guard let first = heap.first, first.instant <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
                if heap[child].instant < heap[least].instant { least = child }
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
