package import DrillCore

/// What a person can write about a client; `firedrill clients`, the JSON Schema and the validation come from it.
package struct ClientDescription: Hashable, Sendable {
    package enum ParameterKind: Hashable, Sendable {
        /// `http://10.77.0.10:80/path`: numeric addresses only, since a name's look-up can block.
        case url
        /// `10.77.0.10:6379`
        case hostAndPort
        /// `10.77.0.11:26379,10.77.0.12:26379`
        case hostsAndPorts
        case port
        case text
        /// `250ms`
        case duration
        /// What libpq takes, with numeric addresses.
        case conninfo
        /// A list of words: the parameter is the list as JSON.
        case command
        case word([String])
    }

    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var kind: ParameterKind
        package var required: Bool
        package var defaultValue: String?
        package var summary: String

        package init(
            _ name: String, _ kind: ParameterKind, required: Bool = false,
            default defaultValue: String? = nil, summary: String
        ) {
            self.name = name
            self.kind = kind
            self.required = required
            self.defaultValue = defaultValue
            self.summary = summary
        }
    }

    package var name: String
    package var summary: String
    package var parameters: [Parameter]
    package var operations: [WorkloadOperation]
    /// Parameters without which the kept lane makes no sense.
    package var keptLaneNeeds: [String]
    /// Groups of parameters: exactly one of them is given, and that whole. Empty: no such choice.
    package var alternatives: [[String]]
    /// What replies to a write begin with that say that nothing was written: `failed`, and not `indeterminate`.
    package var refusals: [String]
    /// The trait of Package.swift that this build lacks; nil: the client is in it.
    package var lackingTrait: String?
    /// The key of the question that `roles.primary.query` asks; nil: this client cannot ask a host who it is.
    package var question: String?

    package init(
        name: String, summary: String, parameters: [Parameter], operations: [WorkloadOperation],
        keptLaneNeeds: [String] = [], alternatives: [[String]] = [], refusals: [String] = [],
        lackingTrait: String? = nil, question: String? = nil
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.operations = operations
        self.keptLaneNeeds = keptLaneNeeds
        self.alternatives = alternatives
        self.refusals = refusals
        self.lackingTrait = lackingTrait
        self.question = question
    }

    /// Why the client cannot be used in this build, with the remedy.
    package var lack: String? {
        lackingTrait.map {
            "client \(name) is not in this build: tools/install clients, then make build (trait \($0))"
        }
    }

    /// `either 'address', or 'sentinels' and 'master'`
    package var choice: String {
        let groups = alternatives.map { group in
            group.map { "'\($0)'" }.joined(separator: " and ")
        }
        return (groups.count > 1 ? "either " : "") + groups.joined(separator: ", or ")
    }
}
