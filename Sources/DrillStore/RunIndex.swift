internal import FoundationEssentials

/// Finds runs under `reports/<system>/<scenario>/<run id>/`.
package struct RunIndex: Sendable {
    private let root: String

    package init(root: String = "reports") { self.root = root }

    /// Folders of all runs (or of one system's), oldest first: ids begin with their time.
    package func runs(of system: String? = nil) -> [RunFolder] {
        var found: [(id: String, folder: RunFolder)] = []
        for name in list(root) where system == nil || name == system {
            for scenario in list("\(root)/\(name)") {
                for id in list("\(root)/\(name)/\(scenario)") {
                    let folder = RunFolder(existing: "\(root)/\(name)/\(scenario)/\(id)")
                    if folder.exists("scenario.yaml") { found.append((id, folder)) }
                }
            }
        }
        return found.sorted { $0.id < $1.id }.map(\.folder)
    }

    /// `run`: an id, a unique prefix, a folder, a report.json, or `latest`.
    package func find(_ run: String) throws(StoreError) -> RunFolder {
        var isFolder = false
        if FileManager.default.fileExists(atPath: run, isDirectory: &isFolder) {
            if isFolder {
                return RunFolder(existing: run.hasSuffix("/") ? String(run.dropLast()) : run)
            }
            guard run.split(separator: "/").last == "report.json" else {
                throw StoreError("\(run): is neither a run folder nor a report.json")
            }
            let parent = run.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            return RunFolder(existing: parent.isEmpty ? "." : parent.joined(separator: "/"))
        }
        let all = runs()
        if run == "latest" {
            guard let last = all.last else { throw StoreError("\(root): holds no run yet") }
            return last
        }
        let matches = run.isEmpty ? [] : all.filter { $0.id.hasPrefix(run) }
        if let exact = matches.first(where: { $0.id == run }) { return exact }
        guard let match = matches.first else {
            throw StoreError(
                "no run is called '\(run)'; give an id, a unique prefix, a folder, or 'latest'")
        }
        guard matches.count == 1 else {
            throw StoreError(
                "'\(run)' begins the ids of \(matches.count) runs: \(matches.map(\.id).joined(separator: ", "))"
            )
        }
        return match
    }

    private func list(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}

extension RunFolder {
    package var id: String { String(path.split(separator: "/").last ?? "") }
}
