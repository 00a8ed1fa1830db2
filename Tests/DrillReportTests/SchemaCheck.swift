import FoundationEssentials

/// As much of JSON Schema as docs/report.schema.json uses.
struct SchemaCheck {
    indirect enum Value: Decodable, Equatable {
        case null, bool(Bool), number(Double), text(String), array([Value]), object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Value].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        subscript(_ key: String) -> Value? {
            if case .object(let members) = self { members[key] } else { nil }
        }
        var items: [Value] { if case .array(let items) = self { items } else { [] } }
        var members: [String: Value] {
            if case .object(let members) = self { members } else { [:] }
        }
        var string: String? { if case .text(let text) = self { text } else { nil } }
        var double: Double? { if case .number(let number) = self { number } else { nil } }

        func has(type: String) -> Bool {
            switch self {
            case .null: type == "null"
            case .bool: type == "boolean"
            case .number(let number):
                type == "number" || (type == "integer" && number == number.rounded())
            case .text: type == "string"
            case .array: type == "array"
            case .object: type == "object"
            }
        }
    }

    let root: Value

    init(_ data: Data) throws { root = try JSONDecoder().decode(Value.self, from: data) }

    func problems(in data: Data) throws -> [String] {
        check(try JSONDecoder().decode(Value.self, from: data), root, "")
    }

    private func check(_ value: Value, _ schema: Value, _ path: String) -> [String] {
        if let reference = schema["$ref"]?.string {
            let name = String(reference.dropFirst("#/$defs/".count))
            guard let target = root["$defs"]?[name] else {
                return ["\(path): no definition \(name)"]
            }
            return check(value, target, path)
        }
        var problems: [String] = []
        if let alternatives = schema["anyOf"]?.items {
            if !alternatives.contains(where: { check(value, $0, path).isEmpty }) {
                problems.append("\(path): fits no alternative")
            }
        }
        if let type = schema["type"] {
            let types = type.string.map { [$0] } ?? type.items.compactMap(\.string)
            if !types.contains(where: value.has) {
                return problems + ["\(path): is no \(types.joined(separator: " or "))"]
            }
        }
        if let listed = schema["enum"]?.items, !listed.contains(value) {
            problems.append("\(path): none of the listed values")
        }
        if let only = schema["const"], only != value {
            problems.append("\(path): not the constant")
        }
        if let least = schema["minimum"]?.double, let number = value.double, number < least {
            problems.append("\(path): below \(least)")
        }
        if let most = schema["maximum"]?.double, let number = value.double, number > most {
            problems.append("\(path): above \(most)")
        }
        if let items = schema["items"] {
            for (index, item) in value.items.enumerated() {
                problems += check(item, items, "\(path)/\(index)")
            }
        }
        for key in schema["required"]?.items.compactMap(\.string) ?? [] where value[key] == nil {
            if case .object = value { problems.append("\(path): lacks '\(key)'") }
        }
        let properties = schema["properties"]?.members ?? [:]
        for (key, member) in value.members {
            if let schema = properties[key] {
                problems += check(member, schema, "\(path)/\(key)")
            } else if let others = schema["additionalProperties"] {
                if others == .bool(false) {
                    problems.append("\(path): unknown key '\(key)'")
                } else {
                    problems += check(member, others, "\(path)/\(key)")
                }
            }
        }
        return problems
    }
}
