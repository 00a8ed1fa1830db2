/// A set of operations by number. It knows the first word that is not full and the last that is not empty: what a
/// search remembers is the part between them.
struct LinearizedSet {
    private(set) var words: [UInt64]
    private(set) var low = 0
    private(set) var high = 0

    init(count: Int) { words = Array(repeating: 0, count: count / 64 + 1) }

    func contains(_ number: Int) -> Bool { words[number >> 6] >> UInt64(number & 63) & 1 == 1 }

    mutating func insert(_ number: Int) {
        let word = number >> 6
        words[word] |= 1 << UInt64(number & 63)
        high = max(high, word)
        while low < high, words[low] == .max { low += 1 }
    }

    mutating func remove(_ number: Int) {
        let word = number >> 6
        words[word] &= ~(1 << UInt64(number & 63))
        low = min(low, word)
        while high > low, words[high] == 0 { high -= 1 }
    }
}

/// Sets of operations and the values that they led to; compared in full, so that no hash decides a verdict.
struct SearchCache {
    /// Each: the word count and `low`, the value, and the words.
    private var arena: [UInt64] = []
    /// Open addressing: the hash, and where in the arena; 0 is free.
    private var hashes: [UInt64]
    private var places: [UInt32]
    private var count = 0

    init() {
        hashes = Array(repeating: 0, count: 1024)
        places = Array(repeating: 0, count: 1024)
        // No place is 0.
        arena.append(0)
    }

    var bytes: Int { arena.count * 8 + hashes.count * 12 }

    /// False where it is there already.
    mutating func insert(_ set: borrowing LinearizedSet, value: Int32, hash: UInt64) -> Bool {
        let key = hash ^ UInt64(UInt32(bitPattern: value)) &* 0x9E37_79B9_7F4A_7C15
        let mask = hashes.count - 1
        var slot = Int(truncatingIfNeeded: key ^ key >> 32) & mask
        while places[slot] != 0 {
            if hashes[slot] == key, isEqual(Int(places[slot]), set, value) { return false }
            slot = (slot + 1) & mask
        }
        hashes[slot] = key
        places[slot] = UInt32(truncatingIfNeeded: arena.count)
        arena.append(UInt64(set.high - set.low) << 32 | UInt64(set.low))
        arena.append(UInt64(UInt32(bitPattern: value)))
        for word in set.low...set.high { arena.append(set.words[word]) }
        count += 1
        if count * 2 > hashes.count { grow() }
        return true
    }

    private func isEqual(_ place: Int, _ set: borrowing LinearizedSet, _ value: Int32) -> Bool {
        guard arena[place] == UInt64(set.high - set.low) << 32 | UInt64(set.low),
            arena[place + 1] == UInt64(UInt32(bitPattern: value))
        else { return false }
        for word in set.low...set.high where arena[place + 2 + word - set.low] != set.words[word] {
            return false
        }
        return true
    }

    private mutating func grow() {
        let size = hashes.count * 2
        var newHashes = Array(repeating: UInt64(0), count: size)
        var newPlaces = Array(repeating: UInt32(0), count: size)
        for index in hashes.indices where places[index] != 0 {
            let key = hashes[index]
            var slot = Int(truncatingIfNeeded: key ^ key >> 32) & (size - 1)
            while newPlaces[slot] != 0 { slot = (slot + 1) & (size - 1) }
            newHashes[slot] = key
            newPlaces[slot] = places[index]
        }
        hashes = newHashes
        places = newPlaces
    }
}
