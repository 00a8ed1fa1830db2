import Yams

/// Bytes to a tree, or every mistake that YAML itself can tell.
enum YAMLReader {
    struct Document {
        var file: SourceFile
        /// nil: what is there could not be composed.
        var tree: Tree?
        var diagnostics: [Diagnostic]
    }

    static func read(_ bytes: [UInt8], path: String) -> Document {
        let file: SourceFile
        switch SourceFile.read(bytes, path: path) {
        case .failure(let list):
            return Document(
                file: SourceFile(path: path, text: ""), tree: nil, diagnostics: list.diagnostics)
        case .success(let read): file = read
        }
        var scan = YAMLScan(file)
        guard !scan.isFatal else {
            return Document(file: file, tree: nil, diagnostics: scan.diagnostics)
        }
        var diagnostics = scan.diagnostics
        do {
            let root = try compose(&scan)
            guard let root else {
                diagnostics.append(
                    Diagnostic(file: path, line: 0, column: 0, message: "the file is empty"))
                return Document(file: file, tree: nil, diagnostics: diagnostics)
            }
            return Document(file: file, tree: tree(root, path), diagnostics: diagnostics)
        } catch {
            let found = diagnostic(error, file)
            // A line that was repaired can be wrong because of the repair.
            if !diagnostics.contains(where: { $0.line == found.line }) { diagnostics.append(found) }
            return Document(file: file, tree: nil, diagnostics: diagnostics)
        }
    }

    private static func compose(_ scan: inout YAMLScan) throws(YamlError) -> Node? {
        do {
            // Basic: no scalar is ever taken for a number, a date or a truth value.
            return try Yams.compose(yaml: scan.repaired, .basic, .default, .utf8)
        } catch let error as YamlError {
            throw error
        } catch {
            throw .reader(problem: "\(error)", offset: nil, value: 0, yaml: "")
        }
    }

    private static func tree(_ node: Node, _ path: String) -> Tree {
        let place = Place(
            file: path, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
        switch node {
        case .scalar(let scalar):
            return Tree(
                place,
                .scalar(
                    YAMLScan.restored(scalar.string), quoted: isQuoted(scalar.style)))
        case .sequence(let items):
            return Tree(place, .sequence(items.map { tree($0, path) }))
        case .mapping(let pairs):
            return Tree(
                place,
                .mapping(
                    pairs.compactMap { key, value in
                        let keyTree = tree(key, path)
                        guard let text = keyTree.text, !YAMLScan.isDuplicate(text) else {
                            return nil
                        }
                        return Tree.Entry(key: text, place: keyTree.place, value: tree(value, path))
                    }))
        case .alias:
            // The scan refuses aliases before this.
            return Tree(place, .scalar("", quoted: false))
        }
    }

    private static func isQuoted(_ style: Node.Scalar.Style) -> Bool {
        switch style {
        case .singleQuoted, .doubleQuoted, .literal, .folded: true
        case .any, .plain: false
        }
    }

    private static func diagnostic(_ error: YamlError, _ file: SourceFile) -> Diagnostic {
        func make(_ mark: Mark?, _ message: String, _ hint: String? = nil) -> Diagnostic {
            Diagnostic(
                file: file.path, line: mark?.line ?? 0, column: mark?.column ?? 0, message: message,
                sourceLine: mark.flatMap { file.line($0.line) }, hint: hint)
        }
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _):
            // "found unexpected end of stream" is where the file ends; what was opened is what helps.
            if problem.contains("end of stream"), let context {
                return make(context.mark, "this never ends: \(context.text), \(problem)")
            }
            return make(mark, "not YAML: \(problem)", hint(problem))
        case .composer(_, let problem, let mark, _):
            return make(
                mark,
                problem.contains("another document") ? "a second document begins here" : problem,
                problem.contains("another document") ? "one file holds one document" : nil)
        case .reader(let problem, _, _, _): return make(nil, "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            return make(context.mark, "duplicate key '\(keys.first ?? "")'")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return make(nil, "not YAML: \(error)")
        @unknown default:
            return make(nil, "not YAML: \(error)")
        }
    }

    private static func hint(_ problem: String) -> String? {
        if problem.contains("mapping values are not allowed") {
            return "is the line above complete, and this one indented like its neighbours? "
                + "a text with ': ' must be in quotes"
        }
        if problem.contains("did not find expected key") || problem.contains("block end")
            || problem.contains("expected '-'")
        {
            return "is this line indented like its neighbours?"
        }
        if problem.contains("expected ',' or") {
            return "is a comma or a closing bracket missing before this?"
        }
        if problem.contains("could not find expected ':'") {
            return "is a ':' missing after the key?"
        }
        if problem.contains("cannot start any token") {
            return "a text that begins with this character must be in quotes"
        }
        return nil
    }
}
