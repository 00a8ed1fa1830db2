import DrillCore
import DrillScenario
import FoundationEssentials

/// What to try next: after the first drill of all the same fault on a system of others' making; else the folder's first
/// scenario whose harm is worth seeing, of the same kind where there is one, else simply the next one.
enum NextScenario {
    static func after(_ path: String) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
        guard let all = try? Files.scenarios([folder]) else { return nil }
        let cells = all.compactMap { path -> (path: String, cell: ScenarioCell)? in
            guard
                case .success(let cells) = ScenarioLoader.load(
                    path: path, readFile: Files.read, programExists: { _ in true }),
                let cell = cells.first
            else { return nil }
            return (path, cell)
        }
        if path.hasSuffix("twin/node-kill.yaml") {
            let real =
                path.dropLast("twin/node-kill.yaml".count) + "keepalived-nginx/node-kill.yaml"
            if FileManager.default.fileExists(atPath: String(real)) {
                return "firedrill run \(real)   (the same with keepalived and nginx)"
            }
        }
        let name = "/\(parts.last.map(String.init) ?? path)"
        let own = cells.first { $0.path.hasSuffix(name) }
        let others = cells.filter { !$0.path.hasSuffix(name) }
        let later = others.filter { $0.path > path } + others.filter { $0.path <= path }
        let harmful = others.filter { $0.cell.scenario.knownUnsafe != nil }
        let instructive =
            harmful.first { hitsLinks($0.cell) == own.map { hitsLinks($0.cell) } } ?? harmful.first
        guard let next = instructive ?? later.first else { return nil }
        let why = next.cell.scenario.knownUnsafe ?? next.cell.scenario.title
        return "firedrill run \(next.path)" + (why.isEmpty ? "" : "   (\(why))")
    }

    private static func hitsLinks(_ cell: ScenarioCell) -> Bool {
        cell.scenario.timeline.contains { step in
            if case .fault(let use) = step.action, case .link = use.target { true } else { false }
        }
    }
}
