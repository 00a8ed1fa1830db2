package import DrillCore

/// A fault: a pure compiler from its use in a scenario to reversible operations. It performs nothing.
///
/// One file a fault and one line in `FaultCatalog`.
package protocol Fault: Sendable {
    static var description: FaultDescription { get }

    /// `targets` are what the use's host or link stands for at the step's beginning.
    static func plan(
        _ use: FaultUse, targets: FaultTargets, topology: Topology
    ) throws(FaultError) -> FaultPlan

    /// What a service must be started with so that this use can reach it later; it holds on all of its hosts.
    static func preparation(
        _ use: FaultUse
    ) -> (service: ServiceName, preparation: ServicePreparation)?
}

extension Fault {
    package static func preparation(
        _ use: FaultUse
    ) -> (service: ServiceName, preparation: ServicePreparation)? { nil }
}

/// What a person can write about a fault; the listing, the JSON Schema and the validation come from it.
package struct FaultDescription: Hashable, Sendable {
    package enum Target: String, Hashable, Sendable {
        /// `host:` one host.
        case host
        /// `link:` a pair and a direction.
        case link
    }

    package enum ParameterKind: Hashable, Sendable {
        case duration, ratio, rate, size, service, signal, count, path
        /// May be negative: `-90s`.
        case offset
        /// A list of words, executed as it stands; stored as a JSON array of strings.
        case command
        case word([String])
    }

    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var kind: ParameterKind
        package var required: Bool
        /// Used where the person writes none; nil: absent.
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
    package var target: Target
    package var parameters: [Parameter]
    /// False: the step heals nothing and has neither `for` nor `until`.
    package var heals: Bool
    /// Takes `network:` (and `traffic:` for links).
    package var takesNetwork: Bool
    /// May hold for a whole run, as an `environment`: it leaves something to measure.
    package var isCondition: Bool
    /// What t0 is, for the reference page.
    package var instant: String
    /// A step's further keys, as a person writes them, for the reference page: `delay: 25ms, for: 10s`.
    package var example: String
    /// What to know before its figures are believed, for the reference page; a sentence each.
    package var notes: [String]
    /// What the lab's machine must have for it; checked before anything is built.
    package var needs: [LabCapability]

    package init(
        name: String, summary: String, target: Target, parameters: [Parameter] = [],
        heals: Bool = true, takesNetwork: Bool = false, isCondition: Bool? = nil, instant: String,
        example: String = "", notes: [String] = [], needs: [LabCapability] = []
    ) {
        self.name = name
        self.summary = summary
        self.target = target
        self.parameters = parameters
        self.heals = heals
        self.takesNetwork = takesNetwork
        self.isCondition = isCondition ?? (target == .link)
        self.instant = instant
        self.example = example
        self.notes = notes
        self.needs = needs
    }
}

/// The hosts that a use's selectors stand for.
package enum FaultTargets: Hashable, Sendable {
    case host(HostName)
    /// Pairs in the direction of the arrow; both directions where it has two heads.
    case links([(from: HostName, to: HostName)])

    package static func == (left: FaultTargets, right: FaultTargets) -> Bool {
        switch (left, right) {
        case (.host(let a), .host(let b)): a == b
        case (.links(let a), .links(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.from == $1.from && $0.to == $1.to }
        case (.host, .links), (.links, .host): false
        }
    }
    package func hash(into hasher: inout Hasher) {
        switch self {
        case .host(let host): hasher.combine(host)
        case .links(let links):
            for link in links {
                hasher.combine(link.from)
                hasher.combine(link.to)
            }
        }
    }
}

/// What a fault does, how it is undone, and what must be seen of it.
package struct FaultPlan: Hashable, Sendable {
    /// In order; t0 is from the request of the first to the acknowledgement of the first `effective`.
    package var inject: [FaultOperation]
    package var effective: Int
    /// How long to wait before an operation of `inject`, by its index.
    package var waits: [Int: Duration]
    package var heal: [FaultOperation]
    package var proof: ProofPlan

    package init(
        inject: [FaultOperation], effective: Int = 1, waits: [Int: Duration] = [:],
        heal: [FaultOperation] = [], proof: ProofPlan = ProofPlan()
    ) {
        self.inject = inject
        self.effective = effective
        self.waits = waits
        self.heal = heal
        self.proof = proof
    }
}

/// Who must not reach whom while the fault holds, and who still must.
package struct ProofPlan: Hashable, Sendable {
    package struct Path: Hashable, Sendable {
        package var from: HostName
        package var to: HostName
        /// The address that is asked for.
        package var address: String

        package init(from: HostName, to: HostName, address: String) {
            self.from = from
            self.to = to
            self.address = address
        }
    }

    /// An effect on the packets of one link and direction, watched from before t0 to after the heal.
    package struct LinkProof: Hashable, Sendable {
        package var link: LinkDirection
        package var treatment: LinkTreatment

        package init(link: LinkDirection, treatment: LinkTreatment) {
            self.link = link
            self.treatment = treatment
        }
    }

    /// Packets of this kind on this link and direction flow as before.
    package struct LinkControl: Hashable, Sendable {
        package var link: LinkDirection
        package var traffic: TrafficSelector

        package init(_ link: LinkDirection, traffic: TrafficSelector = .all) {
            self.link = link
            self.traffic = traffic
        }
    }

    /// What these links do to the packets of one, all together; nil: nothing, or what has no sum, which the reader tells.
    package func effect(
        on link: LinkDirection, _ traffic: TrafficSelector
    ) -> LinkEffect? {
        let effects = links.filter { $0.link == link && $0.treatment.covers(traffic) }
        return try? LinkEffect.sum(effects.map(\.treatment.effect))
    }

    /// Hosts whose claims end at t0, and how they are then.
    package var states: [HostName: HistoryEvent.ProvenState]
    package var unreachable: [Path]
    /// The control: paths that the fault must leave alone.
    package var reachable: [Path]
    package var links: [LinkProof]
    /// What the fault must leave alone: it is watched beside `links`.
    package var controls: [LinkControl]
    /// Changes of hosts that are looked at after t0 and again before the heal (`LabCommand.inspect`).
    package var inspections: [FaultOperation]

    package init(
        states: [HostName: HistoryEvent.ProvenState] = [:], unreachable: [Path] = [],
        reachable: [Path] = [], links: [LinkProof] = [], controls: [LinkControl] = [],
        inspections: [FaultOperation] = []
    ) {
        self.states = states
        self.unreachable = unreachable
        self.reachable = reachable
        self.links = links
        self.controls = controls
        self.inspections = inspections
    }
}

/// Why a use cannot be compiled, for whoever wrote it.
package struct FaultError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    /// The key that is wrong, so that a file's reader can point at it; nil: the fault as a whole.
    package var parameter: String?
    /// What would be right.
    package var hint: String?

    package init(_ description: String, parameter: String? = nil, hint: String? = nil) {
        self.description = description
        self.parameter = parameter
        self.hint = hint
    }
}
