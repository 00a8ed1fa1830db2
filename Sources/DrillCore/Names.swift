/// A name that a person wrote, as a type of its own, so that a host is never passed for a service.
package protocol Name: RawRepresentable, Hashable, Comparable, Sendable, Codable,
    CustomStringConvertible, ExpressibleByStringLiteral, CodingKeyRepresentable
where RawValue == String, StringLiteralType == String {
    init(rawValue: String)
}

extension Name {
    package init(_ text: String) { self.init(rawValue: text) }
    package init(stringLiteral value: String) { self.init(rawValue: value) }
    package init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var codingKey: any CodingKey { NameKey(stringValue: rawValue) }
    package init?<T: CodingKey>(codingKey: T) { self.init(rawValue: codingKey.stringValue) }
}

/// The dictionary key that a `Name` becomes in JSON.
package struct NameKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }
    package init(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}

/// A host of the system under test: `a`, `b`, `client`, `witness`, or any name that the system file gives.
package struct HostName: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A service that a host runs, as the system file names it.
package struct ServiceName: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A network that hosts are attached to; `main` where a system has one.
package struct NetworkName: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// A workload of the scenario.
package struct WorkloadName: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// One entry of a scenario's timeline.
package struct StepID: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}

/// workload/lane/read|write, as `report.json` and the CSV files spell it.
package struct StreamName: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }

    package init(workload: WorkloadName, lane: Lane, kind: OperationKind) {
        self.init(rawValue: "\(workload)/\(lane.rawValue)/\(kind.rawValue)")
    }
}

/// One execution of a scenario.
package struct RunID: Name {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
}
