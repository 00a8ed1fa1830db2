import DrillCore
import DrillFaults

/// The kinds of parameters that only faults of hosts have.
extension ScenarioReader {
    /// A path of the host, as one that exists there may be written: absolute, without detours.
    func checkPath(_ text: String, _ what: String, _ place: Place) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard text.hasPrefix("/"), !parts.contains("..") else {
            reading.error(
                place, "\(what) must be an absolute path, not '\(text)'", hint: "such as /tmp")
            return
        }
    }

    /// A program and its arguments as a JSON array, so that a parameter is a text whatever its kind.
    func readCommand(_ tree: Tree, _ what: String, _ target: FaultTarget?) -> String? {
        guard let words = reading.argv(tree, what, commandScope(target)) else { return nil }
        do {
            return try JSONLine.encode(words)
        } catch {
            reading.error(tree.place, "\(what) cannot be kept: \(error)")
            return nil
        }
    }

    /// A host that is named has its variables; which host a role is, is known only when the step begins.
    private func commandScope(_ target: FaultTarget?) -> Scope {
        guard case .host(.host(let host))? = target else { return scope }
        let others = system.roles?.among.filter { $0 != host } ?? []
        return scope.at(host: host, peer: others.count == 1 ? others[0] : nil)
    }
}
