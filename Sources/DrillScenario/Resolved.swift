import DrillCore

/// The files of a cell as they stand in a run folder: what was replaced is replaced, secrets are `***`,
/// and reading them again gives the same values without any other file.
enum Resolved {
    static func scenario(
        _ tree: Tree, scope: Scope, cell: [String: String], trials: Int?
    ) -> String {
        var scope = scope
        scope.isMasked = true
        var tree = resolved(tree, scope)
        tree = tree.setting("system", Tree(text: "system.yaml"))
        // The cell is what a matrix of one value a variable says.
        let matrix = cell.keys.sorted().map { name in
            (name, Tree(Place(file: ""), .sequence([Tree(text: cell[name] ?? "")])))
        }
        tree = tree.setting("matrix", matrix.isEmpty ? nil : .mapping(matrix))
        tree = tree.setting("vars", vars(scope))
        if let trials { tree = tree.setting("trials", Tree(text: "\(trials)")) }
        return TreeWriter.text(tree)
    }

    static func system(_ tree: Tree, scope: Scope, masked: System) -> String {
        var scope = scope
        scope.isMasked = true
        var tree = resolved(tree, scope)
        tree = tree.setting("vars", vars(scope))
        guard var services = tree["services"], let entries = services.entries else {
            return TreeWriter.text(tree)
        }
        for entry in entries {
            guard let files = entry.value["files"]?.entries,
                let service = masked.service(ServiceName(entry.key))
            else { continue }
            let contents = files.map { file in
                (
                    file.key,
                    Tree.mapping(
                        service.hosts.map { host in
                            (
                                host.rawValue,
                                Tree(text: service.instances[host]?.files[file.key] ?? "")
                            )
                        })
                )
            }
            services = services.setting(
                entry.key, entry.value.setting("files", .mapping(contents)))
        }
        tree = tree.setting("services", services)
        return TreeWriter.text(tree)
    }

    private static func vars(_ scope: Scope) -> Tree? {
        guard !scope.globals.isEmpty else { return nil }
        return .mapping(
            scope.globals.keys.sorted().map { name in
                (name, Tree(text: scope.resolvedForAllHosts(scope.globals[name] ?? "")))
            })
    }

    /// Inline texts of files are left alone: nothing in them is ever replaced.
    private static func resolved(_ tree: Tree, _ scope: Scope) -> Tree {
        guard let entries = tree.entries else {
            switch tree.content {
            case .scalar, .mapping: return tree.mapText(scope.resolvedForAllHosts)
            case .sequence(let items):
                return Tree(tree.place, .sequence(items.map { resolved($0, scope) }))
            }
        }
        return Tree(
            tree.place,
            .mapping(
                entries.map { entry in
                    var entry = entry
                    if entry.key != "files" { entry.value = resolved(entry.value, scope) }
                    return entry
                }))
    }
}
