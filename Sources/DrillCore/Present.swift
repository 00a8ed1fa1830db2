/// An optional that is written as null: a key known to this version of a report is always present.
@propertyWrapper
package struct Present<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue {
            try container.encode(wrappedValue)
        } else {
            try container.encodeNil()
        }
    }
}

extension KeyedDecodingContainer {
    package func decode<Value>(
        _ type: Present<Value>.Type, forKey key: Key
    ) throws -> Present<Value> {
        Present(wrappedValue: try decodeIfPresent(Value.self, forKey: key))
    }
}
