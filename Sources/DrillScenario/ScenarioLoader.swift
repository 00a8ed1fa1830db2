package import DrillCore

/// One cell of a scenario's matrix with its system, ready to plan and run.
package struct ScenarioCell: Hashable, Sendable {
    package var scenario: Scenario
    package var system: System
    /// As resolved: variables replaced, secrets as `***`; reads back as the same scenario beside `system.yaml`.
    package var scenarioYAML: String
    /// As resolved, with the rendered text of every template in it.
    package var systemYAML: String
    package var warnings: [Diagnostic]
    /// Parts of the files that this version cannot run: exit 4.
    package var capabilities: [String]
    /// Values of `{{env.NAME}}` in this cell: whatever prints should print them as `***`.
    package var secrets: Set<String>

    package func masked(_ text: String) -> String { Secrets.mask(text, secrets) }
}

/// Files to values, or every mistake at once. Pure apart from the closures that it is given.
package struct ScenarioLoader {
    package struct Options {
        /// False: a template that is missing reads as nothing, as when a system file is looked at alone.
        package var templatesRequired: Bool
        /// False: what happened is read again, and whether it was wise to begin it is no question any more (too short
        /// a step, too low a rate or threshold, too few ports).
        package var isPlanned: Bool
        package var programExists: (String) -> Bool
        /// What `{{env.NAME}}` is taken from.
        package var environment: [String: String]

        package init(
            templatesRequired: Bool = true, isPlanned: Bool = true,
            programExists: @escaping (String) -> Bool = { _ in true },
            environment: [String: String] = [:]
        ) {
            self.templatesRequired = templatesRequired
            self.isPlanned = isPlanned
            self.programExists = programExists
            self.environment = environment
        }
    }

    /// The most cells of a matrix.
    static let mostCells = 1_000

    private let options: Options
    private let templates: TemplateFiles
    private let secrets = Secrets()
    private let reading: Reading

    private init(_ options: Options, _ readFile: @escaping (String) throws -> [UInt8]) {
        self.options = options
        templates = TemplateFiles(readFile)
        reading = Reading(secrets: secrets)
    }

    /// One cell for each point of the matrix, the last variable changing fastest.
    ///
    /// - Parameters:
    ///   - system: the system file that is used in place of the scenario's own.
    ///   - set: variables that win over all others.
    ///   - trials: in place of the scenario's number.
    package static func load(
        path: String, system: String? = nil, set: [String: String] = [:], trials: Int? = nil,
        options: Options, readFile: @escaping (String) throws -> [UInt8]
    ) -> Result<[ScenarioCell], DiagnosticList> {
        ScenarioLoader(options, readFile).load(path, system, set, trials)
    }

    package static func load(
        path: String, system: String? = nil, set: [String: String] = [:], trials: Int? = nil,
        readFile: @escaping (String) throws -> [UInt8],
        programExists: @escaping (String) -> Bool, environment: [String: String] = [:]
    ) -> Result<[ScenarioCell], DiagnosticList> {
        load(
            path: path, system: system, set: set, trials: trials,
            options: Options(programExists: programExists, environment: environment),
            readFile: readFile)
    }

    /// A system file alone, with its own variables and `set`.
    package static func loadSystem(
        path: String, set: [String: String] = [:], options: Options,
        readFile: @escaping (String) throws -> [UInt8]
    ) -> Result<System, DiagnosticList> {
        let loader = ScenarioLoader(options, readFile)
        guard let tree = loader.document(path) else { return .failure(loader.list) }
        var scope = Scope(environment: options.environment, secrets: loader.secrets)
        scope.globals = tree["vars"].map { readVars($0, loader.reading) } ?? [:]
        loader.checkSet(set, known: Set(scope.globals.keys))
        scope.globals.merge(set) { $1 }
        var reader = loader.systemReader(tree, path, scope, loader.reading)
        let system = reader.read()
        guard let system, !loader.reading.hasErrors else { return .failure(loader.list) }
        return .success(loader.finished(system, reader.scope))
    }

    // MARK: - Loading

    private var list: DiagnosticList { DiagnosticList(Self.sorted(reading)) }

    private func load(
        _ path: String, _ override: String?, _ set: [String: String], _ trials: Int?
    ) -> Result<[ScenarioCell], DiagnosticList> {
        guard let tree = document(path) else { return .failure(list) }
        if let trials, trials < 1 || trials > 10_000 {
            reading.error(Place(file: "--trials"), "must be a whole number from 1 to 10000")
        }
        if tree["kind"]?.text == "System" {
            reading.error(
                tree["kind"]?.place ?? tree.place, "this is a system file, not a scenario",
                hint:
                    "give a scenario that names it: system: \(path.split(separator: "/").last ?? "system.yaml")"
            )
            return .failure(list)
        }
        let systemPath = systemPath(tree, path, override)
        let systemTree = systemPath.flatMap {
            document($0, namedAt: override == nil ? tree["system"]?.place : nil)
        }
        // Without its system nothing else of a scenario can be told right from wrong.
        if systemPath != nil, systemTree == nil { return .failure(list) }
        let axes = matrix(tree, set)
        var globals = systemTree?["vars"].map { Self.readVars($0, reading) } ?? [:]
        globals.merge(tree["vars"].map { Self.readVars($0, reading) } ?? [:]) { $1 }
        checkSet(set, known: Set(globals.keys).union(axes.map(\.name)))
        var cells: [ScenarioCell] = []
        for cell in Self.points(axes) {
            let merged = globals.merging(cell) { $1 }.merging(set) { $1 }
            let found = read(
                cell: cell, globals: merged, tree: tree, systemTree: systemTree,
                systemPath: systemPath ?? "", trials: trials)
            if let found { cells.append(found) }
        }
        guard !reading.hasErrors else { return .failure(list) }
        return .success(cells)
    }

    private func read(
        cell: [String: String], globals: [String: String], tree: Tree, systemTree: Tree?,
        systemPath: String, trials: Int?
    ) -> ScenarioCell? {
        // Warnings and capabilities are those of this cell; errors are everybody's.
        let own = Reading(secrets: secrets)
        reading.lendFiles(to: own)
        defer { reading.add(own.diagnostics.filter { $0.severity == .error }) }
        var scope = Scope(environment: options.environment, secrets: secrets)
        scope.isMasked = !options.isPlanned
        scope.globals = globals
        var system = System(name: "", hosts: [])
        var systemScope = scope
        var isSystemKnown = false
        if let systemTree {
            var reader = systemReader(systemTree, systemPath, scope, own)
            if let read = reader.read() {
                system = finished(read, reader.scope)
                isSystemKnown = !read.hosts.isEmpty
            }
            systemScope = reader.scope
        }
        var reader = ScenarioReader(
            reading: own, tree: tree, system: system, isSystemKnown: isSystemKnown,
            scope: systemScope)
        guard let scenario = reader.read(trials: trials, cell: cell) else { return nil }
        if options.isPlanned { reader.check(scenario) }
        guard let systemTree, !own.hasErrors else { return nil }
        return ScenarioCell(
            scenario: scenario, system: system,
            scenarioYAML: Resolved.scenario(tree, scope: systemScope, cell: cell, trials: trials),
            systemYAML: Resolved.system(
                systemTree, scope: systemScope,
                masked: masked(systemTree, systemPath, scope) ?? system),
            warnings: Self.sorted(own), capabilities: own.capabilities,
            secrets: secrets.values)
    }

    /// The system once more with its secrets as `***`; nil where it has none.
    private func masked(_ tree: Tree, _ path: String, _ scope: Scope) -> System? {
        guard !options.environment.isEmpty else { return nil }
        var scope = scope
        scope.isMasked = true
        var reader = systemReader(tree, path, scope, Reading(secrets: secrets))
        return reader.read()
    }

    private func systemReader(
        _ tree: Tree, _ path: String, _ scope: Scope, _ reading: Reading
    ) -> SystemReader {
        SystemReader(
            reading: reading, tree: tree, folder: Self.folder(path), scope: scope, options: options,
            templates: templates)
    }

    /// Hosts with everything that their templates saw.
    private func finished(_ system: System, _ scope: Scope) -> System {
        var system = system
        let names = system.hosts.map(\.name)
        let pair = system.roles?.among ?? []
        for index in system.hosts.indices {
            let name = names[index]
            let peer =
                pair.count == 2 && pair.contains(name) ? pair.first { $0 != name } : nil
            let scope = scope.at(host: name, peer: peer)
            var vars: [String: String] = [:]
            for known in scope.names where !known.contains(".") || known == "peer.address" {
                if case .success(let value) = scope.value(of: known) { vars[known] = value }
            }
            system.hosts[index].vars = vars
        }
        return system
    }

    /// - Parameter place: where another file names this one.
    private func document(_ path: String, namedAt place: Place? = nil) -> Tree? {
        switch templates.bytes(path) {
        case .failure(let problem):
            if let place {
                reading.error(place, "\(path) cannot be read: \(problem.message)")
            } else {
                reading.error(Place(file: path), "cannot be read: \(problem.message)")
            }
            return nil
        case .success(let bytes):
            let document = YAMLReader.read(bytes, path: path)
            reading.add(document.file)
            reading.add(document.diagnostics)
            return document.tree
        }
    }

    private func systemPath(_ tree: Tree, _ path: String, _ override: String?) -> String? {
        if let override { return override }
        guard let system = tree["system"] else {
            if tree.entries != nil {
                reading.error(
                    tree.place, "a scenario needs 'system'",
                    hint: "system: system.yaml, relative to this file; or --system FILE")
            }
            return nil
        }
        guard let name = reading.text(system, "'system'", Scope()), !name.isEmpty else {
            return nil
        }
        let folder = Self.folder(path)
        return name.hasPrefix("/") || folder.isEmpty ? name : "\(folder)/\(name)"
    }

    private static func folder(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    // MARK: - Variables

    static func readVars(_ tree: Tree, _ reading: Reading) -> [String: String] {
        var vars: [String: String] = [:]
        for entry in reading.named(tree, "'vars'") {
            if Scope.reserved.contains(entry.key) {
                reading.error(
                    entry.place, "'\(entry.key)' has a meaning of its own and cannot be a variable")
                continue
            }
            guard isVariable(entry.key) else {
                reading.error(
                    entry.place, "'\(entry.key)' cannot be a variable's name",
                    hint: "names begin with a-z and go on with a-z, 0-9, _ and -")
                continue
            }
            guard let text = entry.value.text else {
                reading.error(
                    entry.value.place,
                    "variable '\(entry.key)' must be a text, not \(entry.value.kindName)")
                continue
            }
            guard text.utf8.count <= 4_096 else {
                reading.error(
                    entry.place, "the value of '\(entry.key)' has more than 4096 bytes",
                    hint: "long texts belong in templates")
                continue
            }
            vars[entry.key] = text
        }
        return vars
    }

    private static func isVariable(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, ("a"..."z").contains(first) else {
            return false
        }
        return name.unicodeScalars.allSatisfy {
            switch $0 {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
            case _: false
            }
        }
    }

    private func checkSet(_ set: [String: String], known: Set<String>) {
        for name in set.keys.sorted() where !known.contains(name) {
            reading.error(
                Place(file: "--set"), "unknown variable '\(name)'",
                hint: NearWord.hint(name, known.sorted(), "variables"))
        }
    }

    private struct Axis {
        var name: String
        var values: [String]
    }

    private func matrix(_ tree: Tree, _ set: [String: String]) -> [Axis] {
        guard let matrix = tree["matrix"] else { return [] }
        var axes: [Axis] = []
        var cells = 1
        for entry in reading.named(matrix, "'matrix'") {
            if Scope.reserved.contains(entry.key) || !Self.isVariable(entry.key) {
                reading.error(entry.place, "'\(entry.key)' cannot be a variable's name")
                continue
            }
            let values = reading.items(entry.value, "'\(entry.key)' in 'matrix'").compactMap {
                item -> String? in
                if let text = item.text { return text }
                reading.error(
                    item.place, "a value of '\(entry.key)' must be a text, not \(item.kindName)")
                return nil
            }
            if values.isEmpty, entry.value.items?.isEmpty == true {
                reading.error(entry.value.place, "'\(entry.key)' in 'matrix' has no values")
            }
            if Set(values).count < values.count {
                reading.error(entry.value.place, "'\(entry.key)' in 'matrix' has a value twice")
            }
            // A value that is set leaves nothing to vary.
            axes.append(Axis(name: entry.key, values: set[entry.key].map { [$0] } ?? values))
            cells *= max(1, values.count)
            guard cells <= Self.mostCells else {
                reading.error(
                    entry.place, "'matrix' has more than \(Self.mostCells) combinations")
                return []
            }
        }
        return axes
    }

    private static func points(_ axes: [Axis]) -> [[String: String]] {
        axes.reduce([[:]]) { points, axis in
            axis.values.isEmpty
                ? points
                : points.flatMap { point in
                    axis.values.map { point.merging([axis.name: $0]) { $1 } }
                }
        }
    }

    private static func sorted(_ reading: Reading) -> [Diagnostic] {
        // Files in the order in which they were met, places within them from the top.
        let diagnostics = reading.diagnostics
        var files = reading.paths
        for diagnostic in diagnostics where !files.contains(diagnostic.file) {
            files.append(diagnostic.file)
        }
        return diagnostics.enumerated().sorted { left, right in
            let a = left.element
            let b = right.element
            if a.file != b.file {
                return (files.firstIndex(of: a.file) ?? 0) < (files.firstIndex(of: b.file) ?? 0)
            }
            return (a.line, a.column, left.offset) < (b.line, b.column, right.offset)
        }.map(\.element)
    }
}
