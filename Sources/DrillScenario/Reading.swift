import DrillCore

/// What is found while a file is read: mistakes, warnings, and parts that this version cannot run.
final class Reading {
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var capabilities: [String] = []
    private var seen: Set<Diagnostic> = []
    private var files: [String: SourceFile] = [:]

    /// More would not be read, and a damaged file can have a hundred thousand.
    static let most = 200

    let secrets: Secrets

    init(secrets: Secrets) { self.secrets = secrets }

    var isFull: Bool { diagnostics.count >= Self.most }
    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// In the order in which they were met.
    private(set) var paths: [String] = []

    func add(_ file: SourceFile) {
        if files.updateValue(file, forKey: file.path) == nil { paths.append(file.path) }
    }

    func lendFiles(to other: Reading) {
        other.files = files
        other.paths = paths
    }

    func add(_ found: [Diagnostic]) {
        for diagnostic in found where !isFull && seen.insert(diagnostic).inserted {
            diagnostics.append(diagnostic)
        }
    }

    func error(_ place: Place, _ message: String, hint: String? = nil) {
        report(place, message, hint, .error)
    }

    func warning(_ place: Place, _ message: String, hint: String? = nil) {
        report(place, message, hint, .warning)
    }

    private func report(
        _ place: Place, _ message: String, _ hint: String?, _ severity: Diagnostic.Severity
    ) {
        add([
            Diagnostic(
                file: place.file, line: place.line, column: place.column,
                message: Secrets.mask(message, secrets.values),
                sourceLine: files[place.file]?.line(place.line),
                hint: hint.map { Secrets.mask($0, secrets.values) }, severity: severity)
        ])
    }

    func capability(_ sentence: String) {
        if !capabilities.contains(sentence) { capabilities.append(sentence) }
    }

    // MARK: - Mappings

    /// The mapping's values by key; unknown and missing keys are reported.
    func fields(_ tree: Tree, _ what: String, _ keys: [Key], checkUnknown: Bool = true) -> Fields? {
        guard let entries = tree.entries else {
            error(
                tree.place,
                tree.isAbsent
                    ? "\(what) has no value" : "\(what) must be a mapping, not \(tree.kindName)",
                hint: "keys: \(keys.map(\.name).joined(separator: ", "))")
            return nil
        }
        let names = keys.map(\.name)
        if checkUnknown {
            for entry in entries where !names.contains(entry.key) && !isFull {
                error(
                    entry.place, "unknown key '\(entry.key)' in \(what)",
                    hint: NearWord.hint(entry.key, names, "keys"))
            }
        }
        for key in keys where key.isRequired && !entries.contains(where: { $0.key == key.name }) {
            error(
                tree.place, "\(what) needs '\(key.name)'",
                hint: key.summary.isEmpty ? nil : "\(key.name): \(key.summary)")
        }
        return Fields(place: tree.place, entries: entries)
    }

    /// A mapping from names that a person chooses.
    func named(_ tree: Tree, _ what: String) -> [Tree.Entry] {
        guard let entries = tree.entries else {
            error(
                tree.place,
                tree.isAbsent
                    ? "\(what) has no value" : "\(what) must be a mapping, not \(tree.kindName)",
                hint: "write NAME: … below it")
            return []
        }
        return entries
    }

    func items(_ tree: Tree, _ what: String) -> [Tree] {
        guard let items = tree.items else {
            error(
                tree.place,
                tree.isAbsent
                    ? "\(what) has no value" : "\(what) must be a list, not \(tree.kindName)",
                hint: "write [ … ], or lines that begin with '- '")
            return []
        }
        return items
    }

    // MARK: - Scalars

    func text(_ tree: Tree, _ what: String, _ scope: Scope) -> String? {
        guard case .scalar(let raw, let quoted) = tree.content else {
            error(tree.place, "\(what) must be a text, not \(tree.kindName)")
            return nil
        }
        guard !tree.isAbsent else {
            error(tree.place, "\(what) has no value")
            return nil
        }
        guard raw.unicodeScalars.first != YAMLScan.unread else { return nil }
        guard raw.contains("{{") else { return raw }
        let (value, problems) = Template(raw).render { scope.value(of: $0) }
        for problem in problems {
            let place = tree.place.advanced(by: problem.offset + (quoted ? 1 : 0))
            error(place, problem.message, hint: problem.hint)
        }
        return problems.isEmpty ? value : nil
    }

    func texts(_ tree: Tree, _ what: String, _ scope: Scope) -> [String]? {
        guard let items = tree.items else {
            error(
                tree.place, "\(what) must be a list, not \(tree.kindName)", hint: "write [ … ]")
            return nil
        }
        let values = items.map { text($0, "an entry of \(what)", scope) }
        return values.contains(nil) ? nil : values.compactMap(\.self)
    }

    /// A program and its arguments; never a shell's string.
    func argv(_ tree: Tree, _ what: String, _ scope: Scope) -> [String]? {
        if let raw = tree.text, !raw.isEmpty {
            let words = raw.split(separator: " ").map {
                $0.contains("{{") ? "\"\($0)\"" : String($0)
            }
            error(
                tree.place, "\(what) must be a list: a program and its arguments, no shell",
                hint: "write [\(words.joined(separator: ", "))]")
            return nil
        }
        guard let values = texts(tree, what, scope) else { return nil }
        guard let program = values.first, !program.isEmpty else {
            error(tree.place, "\(what) names no program")
            return nil
        }
        return values
    }

    func duration(_ tree: Tree, _ what: String, _ scope: Scope) -> Duration? {
        guard let value = text(tree, what, scope) else { return nil }
        switch Quantity.duration(value) {
        case .success(let duration): return duration
        case .failure(.noUnit):
            error(
                tree.place, "\(what) needs a unit: \(value) what?",
                hint: "write \(value)ms or \(value)s; units: ns, us, ms, s, m, h")
        case .failure(.tooLarge): error(tree.place, "\(what) is too long: '\(value)'")
        case .failure(.malformed):
            error(
                tree.place, "\(what) must be a duration, not '\(value)'",
                hint: "such as 250ms, 1.5s, 2m; units: ns, us, ms, s, m, h")
        }
        return nil
    }

    /// A duration above zero.
    func positive(_ tree: Tree, _ what: String, _ scope: Scope) -> Duration? {
        guard let value = duration(tree, what, scope) else { return nil }
        guard value > .zero else {
            error(tree.place, "\(what) must be more than 0")
            return nil
        }
        return value
    }

    func perSecond(_ tree: Tree, _ what: String, _ scope: Scope) -> Double? {
        guard let value = text(tree, what, scope) else { return nil }
        switch Quantity.perSecond(value) {
        case .success(let rate): return rate
        case .failure(.noUnit):
            error(tree.place, "\(what) needs a unit: \(value) what?", hint: "write \(value)/s")
        case .failure(.tooLarge): error(tree.place, "\(what) is more than 1000000/s: '\(value)'")
        case .failure(.malformed):
            error(
                tree.place, "\(what) must be a rate above 0, not '\(value)'", hint: "such as 500/s")
        }
        return nil
    }

    func count(_ tree: Tree, _ what: String, _ range: ClosedRange<Int>, _ scope: Scope) -> Int? {
        guard let value = text(tree, what, scope) else { return nil }
        guard let count = Quantity.count(value), range.contains(count) else {
            error(
                tree.place,
                "\(what) must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(value)'"
            )
            return nil
        }
        return count
    }

    /// Only true and false: `on`, `yes` and their like are texts here.
    func flag(_ tree: Tree, _ what: String, _ scope: Scope) -> Bool? {
        guard let value = text(tree, what, scope) else { return nil }
        switch value {
        case "true": return true
        case "false": return false
        case _:
            error(tree.place, "\(what) must be true or false, not '\(value)'")
            return nil
        }
    }

    func word(_ tree: Tree, _ what: String, _ words: [String], _ scope: Scope) -> String? {
        guard let value = text(tree, what, scope) else { return nil }
        guard words.contains(value) else {
            error(
                tree.place, "\(what) cannot be '\(value)'",
                hint: NearWord.hint(value, words, "possible words"))
            return nil
        }
        return value
    }

    /// Whether a name that a person chose has the shape of one; reports where not.
    @discardableResult
    func checkName(_ name: String, _ what: String, at place: Place) -> Bool {
        var good = name.unicodeScalars.first.map { ("a"..."z").contains($0) } ?? false
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9", "_", "-": break
            case _: good = false
            }
        }
        if !good {
            error(
                place, "'\(name)' cannot be \(what)",
                hint: "names begin with a-z and go on with a-z, 0-9, _ and -")
        } else if MetricCatalog.named(name) != nil {
            error(place, "'\(name)' is the name of a metric and cannot be \(what)")
            good = false
        }
        return good
    }
}

/// The values of a mapping whose keys were checked.
struct Fields {
    var place: Place
    var entries: [Tree.Entry]

    subscript(_ key: String) -> Tree? { entries.first { $0.key == key }?.value }
    func keyPlace(_ key: String) -> Place { entries.first { $0.key == key }?.place ?? place }
}
