import DrillCore
import DrillFaults
import DrillWorkload

/// The JSON Schema (2020-12) of scenario and system files, from the grammar and the catalogs.
///
/// It describes the shape for editors; places, references and numbers that depend on each other
/// are what `validate` is for.
package enum JSONSchema {
    package static var scenario: String {
        document("scenario", Grammar.scenario)
    }
    package static var system: String { document("system", Grammar.system) }

    private indirect enum Value {
        case text(String)
        case flag(Bool)
        case list([Value])
        case object([(String, Value)])
    }

    private static func document(_ name: String, _ keys: [Key]) -> String {
        guard case .object(var pairs) = object(keys) else { return "" }
        pairs.insert(("title", .text("Firedrill \(name)")), at: 0)
        pairs.insert(("$schema", .text("https://json-schema.org/draft/2020-12/schema")), at: 0)
        var output = ""
        write(.object(pairs), 0, &output)
        return output + "\n"
    }

    /// Faults and clients bring keys of their own.
    private static func further(_ keys: [Key]) -> [Key] {
        let names = Set(keys.map(\.name))
        var found: [Key] = []
        func add(_ key: Key) {
            if !names.contains(key.name), !found.contains(where: { $0.name == key.name }) {
                found.append(key)
            }
        }
        if names.contains("fault") {
            for fault in FaultCatalog.all {
                for parameter in fault.description.parameters {
                    let type: Key.Kind = parameter.kind == .command ? .argv : .text
                    add(Key(parameter.name, type, parameter.summary))
                }
            }
        }
        if names.contains("client"), names.contains("rate") {
            for client in ClientCatalog.all {
                for parameter in client.parameters {
                    let type: Key.Kind = parameter.kind == .command ? .argv : .text
                    add(Key(parameter.name, type, parameter.summary))
                }
            }
        }
        return found
    }

    private static func object(_ keys: [Key]) -> Value {
        let isStepLike = keys.contains { $0.name == "fault" || $0.name == "do" }
        var properties: [(String, Value)] = []
        for key in keys + further(keys) {
            guard case .object(let pairs) = schema(key) else { continue }
            let summary: [(String, Value)] =
                key.summary.isEmpty ? [] : [("description", .text(key.summary))]
            properties.append((key.name, .object(pairs + summary)))
        }
        var pairs: [(String, Value)] = [
            ("type", .text("object")), ("properties", .object(properties)),
            ("additionalProperties", .flag(false)),
        ]
        let required = keys.filter(\.isRequired).map { Value.text($0.name) }
        if !required.isEmpty { pairs.append(("required", .list(required))) }
        if isStepLike, keys.contains(where: { $0.name == "do" }) {
            pairs.append(
                (
                    "oneOf",
                    .list(["fault", "do"].map { .object([("required", .list([.text($0)]))]) })
                ))
        }
        return .object(pairs)
    }

    private static func schema(_ key: Key) -> Value {
        if key.name == "client" {
            return oneOf(ClientCatalog.all.map(\.name))
        }
        return schema(key.type)
    }

    private static func oneOf(_ words: [String]) -> Value {
        .object([("enum", .list(words.map { .text($0) }))])
    }

    /// A variable may stand where the shape is asked for.
    private static func shaped(_ pattern: String) -> Value {
        .object([("type", .text("string")), ("pattern", .text("\\{\\{|\(pattern)"))])
    }

    private static let variable = Value.object([
        ("type", .text("string")), ("pattern", .text("\\{\\{")),
    ])

    private static let plain = Value.object([
        ("type", .list([.text("string"), .text("number"), .text("boolean")]))
    ])

    private static func schema(_ type: Key.Kind) -> Value {
        switch type {
        case .text: plain
        case .duration: shaped("^[0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h)$")
        case .ratio: shaped("^[0-9]+(\\.[0-9]+)?%$")
        case .perSecond: shaped("^[0-9]+(\\.[0-9]+)?/s$")
        case .count:
            .object([
                ("type", .list([.text("integer"), .text("string")])),
                ("pattern", .text("\\{\\{|^[0-9]+$")),
            ])
        case .flag: .object([("enum", .list([.flag(true), .flag(false)]))])
        case .texts, .argv: .object([("type", .text("array")), ("items", plain)])
        case .shaped(let pattern): shaped(pattern)
        case .word(let words):
            .object([("anyOf", .list([oneOf(words), variable]))])
        case .list(let inner):
            .object([("type", .text("array")), ("items", schema(inner))])
        case .map(let inner):
            .object([("type", .text("object")), ("additionalProperties", schema(inner))])
        case .object(let keys): object(keys)
        case .either(let kinds): .object([("anyOf", .list(kinds.map { schema($0) }))])
        case .open: .object([])
        }
    }

    private static func write(_ value: Value, _ indent: Int, _ output: inout String) {
        let pad = String(repeating: " ", count: indent + 2)
        let end = String(repeating: " ", count: indent)
        switch value {
        case .text(let text): output += quoted(text)
        case .flag(let flag): output += flag ? "true" : "false"
        case .list(let items):
            output += "["
            for (index, item) in items.enumerated() {
                output += index > 0 ? ", " : ""
                write(item, indent, &output)
            }
            output += "]"
        case .object(let pairs):
            guard !pairs.isEmpty else {
                output += "{}"
                return
            }
            output += "{\n"
            for (index, pair) in pairs.enumerated() {
                output += "\(pad)\(quoted(pair.0)): "
                write(pair.1, indent + 2, &output)
                output += index < pairs.count - 1 ? ",\n" : "\n"
            }
            output += "\(end)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": output += "\\\\"
            case "\"": output += "\\\""
            case _: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
