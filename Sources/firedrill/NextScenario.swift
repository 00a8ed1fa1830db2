import DrillCore
import DrillScenario
import FoundationEssentials

/// What to try next: the folder's next scenario whose harm is worth seeing, else simply the next one.
enum NextScenario {
    static func after(_ path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
        guard let all = try? Files.scenarios([folder]) else { return nil }
        let own = parts.last.map(String.init) ?? path
        let others = all.filter { !$0.hasSuffix("/\(own)") }
        let cells = others.compactMap { path -> (path: String, cell: ScenarioCell)? in
            guard
                case .success(let cells) = ScenarioLoader.load(
                    path: path, readFile: Files.read, programExists: { _ in true }),
                let cell = cells.first
            else { return nil }
            return (path, cell)
        }
        let later = cells.filter { $0.path > path } + cells.filter { $0.path <= path }
        let instructive = cells.first { $0.cell.scenario.knownUnsafe != nil }
        guard let next = instructive ?? later.first else { return nil }
        let why = next.cell.scenario.knownUnsafe ?? next.cell.scenario.title
        return "firedrill run \(next.path)" + (why.isEmpty ? "" : "   (\(why))")
    }
}
