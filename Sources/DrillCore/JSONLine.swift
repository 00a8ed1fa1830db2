import FoundationEssentials

/// One JSON value a line: what controller, supervisor and load say to one another, and the events file.
package enum JSONLine {
    /// Without the newline; keys are sorted, so that the same value is the same line.
    package static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(
        _ type: Value.Type, from line: some StringProtocol
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(line.utf8))
    }
}
