/// One attempt of one trial; it names the trial's files.
package struct TrialName: Hashable, Sendable, Comparable {
    package var index: Int
    package var attempt: Int

    package init(index: Int, attempt: Int) {
        self.index = index
        self.attempt = attempt
    }

    /// `trial-3`, and `trial-3.2` for its second attempt.
    package var stem: String { attempt == 1 ? "trial-\(index)" : "trial-\(index).\(attempt)" }

    /// The trial of a file such as `trial-3.2.events.jsonl`; nil for other files.
    package init?(file: String) {
        guard file.hasPrefix("trial-") else { return nil }
        let parts = file.dropFirst("trial-".count).split(separator: ".")
        guard let first = parts.first, let index = Int(first), index > 0 else { return nil }
        self.init(index: index, attempt: parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }

    package static func < (left: TrialName, right: TrialName) -> Bool {
        (left.index, left.attempt) < (right.index, right.attempt)
    }
}
