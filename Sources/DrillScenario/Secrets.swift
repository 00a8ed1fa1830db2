/// Values of `{{env.NAME}}` that were used: they are never printed.
final class Secrets {
    private(set) var values: Set<String> = []

    func add(_ value: String) { values.insert(value) }

    /// The text with every secret as `***`, the longest first.
    static func mask(_ text: String, _ values: some Collection<String>) -> String {
        values.sorted { ($0.count, $0) > ($1.count, $1) }.reduce(text) { text, secret in
            // One character would mask half of every text, and hides nothing.
            guard secret.count > 1, text.contains(secret) else { return text }
            return text.split(separator: secret, omittingEmptySubsequences: false)
                .joined(separator: "***")
        }
    }
}
