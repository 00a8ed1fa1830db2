/// The right word for one that is nearly right.
package enum NearWord {
    /// The nearest word, if it is near enough to have been meant; the first of equals.
    package static func nearest(to word: String, in words: [String]) -> String? {
        // Every word of two letters is near every other.
        guard word.count > 2 else {
            return words.first { $0.lowercased() == word.lowercased() }
        }
        let limit = max(1, min(3, word.count / 3 + (word.count > 3 ? 1 : 0)))
        var best: (word: String, distance: Int)?
        for candidate in words {
            let distance = distance(word.lowercased(), candidate.lowercased(), limit: limit)
            guard distance <= limit, distance < (best?.distance ?? .max) else { continue }
            best = (candidate, distance)
        }
        return best?.word
    }

    /// `did you mean 'x'?`, or the list where nothing is near.
    package static func hint(_ word: String, _ words: [String], _ label: String) -> String {
        if let near = nearest(to: word, in: words) { return "did you mean '\(near)'?" }
        return words.isEmpty
            ? "there are no \(label)" : "\(label): \(words.joined(separator: ", "))"
    }

    /// Both the near word and the list.
    static func hintWithList(_ word: String, _ words: [String], _ label: String) -> String {
        let list = "\(label): \(words.joined(separator: ", "))"
        guard let near = nearest(to: word, in: words) else { return list }
        return "did you mean '\(near)'? \(list)"
    }

    /// Insertions, deletions, replacements and swaps of neighbours; `limit + 1` for all that is farther.
    static func distance(_ left: String, _ right: String, limit: Int) -> Int {
        let a = Array(left.unicodeScalars)
        let b = Array(right.unicodeScalars)
        guard abs(a.count - b.count) <= limit else { return limit + 1 }
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + Array(repeating: 0, count: b.count)
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
