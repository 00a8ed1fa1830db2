import DrillCore
import DrillFaults

/// One key of a mapping, as the reader, the JSON Schema and the hints know it.
struct Key: Sendable {
    var name: String
    var type: Kind
    var isRequired: Bool
    var summary: String

    indirect enum Kind: Sendable {
        case text, duration, ratio, perSecond, count, flag, texts, argv
        /// Pattern and an example.
        case shaped(String)
        case word([String])
        case list(Kind)
        /// From names to this.
        case map(Kind)
        case object([Key])
        case either([Kind])
        /// Anything: what it is depends on another key.
        case open
    }

    init(_ name: String, _ type: Kind, required: Bool = false, _ summary: String) {
        self.name = name
        self.type = type
        isRequired = required
        self.summary = summary
    }
}

/// The keys of scenario and system files.
enum Grammar {
    static let namePattern = "[a-z][a-z0-9_-]*"

    static let environmentUse: [Key] = [
        Key(
            "fault", .word(FaultCatalog.all.map { $0.description.name }), required: true,
            "which fault"),
        Key("host", .text, "a host, or a role where it is known"),
        Key("link", .shaped("^\\S+ *<?-> *\\S+$"), "a->b, a<->b, client<->*"),
        Key("traffic", .shaped("^(tcp/[0-9]+|udp/[0-9]+|vrrp)$"), "only this traffic"),
        Key("network", .text, "where hosts have several"),
    ]

    static let until: [Key] = [
        Key(
            "event", .text, required: true,
            "injected, failover, stable, healed, redundant; or STEP.event"),
        Key("plus", .duration, "this much later"),
        Key("at_most", .duration, "give up then; 60s unless given"),
    ]

    static let step: [Key] = [
        Key("id", .shaped("^\(namePattern)$"), "needed where there are two steps or more"),
        Key("at", .duration, "from the end of the steady state; 0s unless given"),
        Key("after", .object(until), "when another step's event has come"),
        Key("jitter", .duration, "seeded, uniform in [0, jitter]; of a link.delay: the delay's"),
        Key(
            "fault", .word(FaultCatalog.all.map { $0.description.name }),
            "exactly one of fault and do"),
        Key("do", .word(["switchover"]), "exactly one of fault and do"),
        Key("host", .text, "primary, standby or a host's name"),
        Key("link", .shaped("^\\S+ *<?-> *\\S+$"), "a->b, a<->b, primary<->standby, client<->*"),
        Key("traffic", .shaped("^(tcp/[0-9]+|udp/[0-9]+|vrrp)$"), "only this traffic"),
        Key("network", .text, "where hosts have several"),
        Key("for", .duration, "the heal begins this long after the fault"),
        Key("until", .either([.object(until), .word(["end"])]), "the heal begins at an event"),
        Key("measure", .flag, "false: a preparation, without an RTO of its own"),
    ]

    static let workload: [Key] = [
        Key("client", .text, required: true, "a word of `firedrill clients`"),
        Key("rate", .perSecond, required: true, "operations a second, in each lane"),
        Key("arrival", .word(Arrival.allCases.map(\.rawValue)), "constant unless given"),
        Key("lanes", .list(.word(Lane.allCases.map(\.rawValue))), "[fresh] unless given"),
        Key("timeout", .duration, "from the intended instant; 1s unless given"),
        Key("slow", .duration, "how late a good answer may be; the timeout unless given"),
        Key("from", .text, "the host that sends; client unless given"),
        Key("operation", .word(WorkloadOperation.allCases.map(\.rawValue)), "get unless given"),
        Key("connections", .count, "of each lane; rate × timeout plus 10 % unless given"),
    ]

    static let scenario: [Key] = [
        Key("apiVersion", .word(["firedrill/v1"]), required: true, "the version of this format"),
        Key("kind", .word(["Scenario"]), required: true, "Scenario"),
        Key("name", .shaped("^\(namePattern)$"), required: true, "the scenario's name"),
        Key("title", .text, "one line for people"),
        Key("known_unsafe", .text, "the harm that is expected: pass means that it was seen"),
        Key("system", .text, "the system file, relative to this one; --system wins"),
        Key("vars", .map(.text), "over the system's"),
        Key("matrix", .map(.list(.text)), "one run for each combination"),
        Key("trials", .count, "1 unless given"),
        Key("retries", .count, "how often an inconclusive trial is repeated"),
        Key("environment", .list(.object(environmentUse)), "faults that hold for the whole run"),
        Key("workloads", .map(.object(workload)), required: true, "who asks what, how often"),
        Key(
            "steady_state",
            .object([
                Key("success_rate", .shaped("^>= *[0-9.]+%$"), ">= 99.9%; 100 % unless given"),
                Key("for", .duration, "2s unless given"),
            ]), "what is normal"),
        Key(
            "stable", .object([Key("for", .duration, required: true, "1s unless given")]),
            "how long a stretch must be clean to end an outage"),
        Key(
            "timeline", .list(.object(step)), required: true, "what breaks, and when; [] is a soak"),
        Key("observe", .duration, "at most, after the last step; 30s unless given"),
        Key("expect", .map(.either([.text, .list(.text)])), "[workload.]metric[.step]: threshold"),
        Key("abort", .list(.text), "success_rate < 1% for 20s"),
    ]

    static let ready: [Key] = [
        Key("tcp", .count, "a port that accepts"), Key("http", .text, "a URL that answers 200-399"),
        Key("run", .argv, "a program that ends with 0"),
        Key("role", .word(["primary"]), "one host holds the primary role"),
    ]

    static let service: [Key] = [
        Key("hosts", .list(.text), required: true, "where it runs"),
        Key("after", .list(.text), "services that are ready before"),
        Key(
            "files", .map(.either([.text, .map(.text)])),
            "file in {{dir}}: template (or its text by host)"),
        Key("prepare", .argv, "run to its end before each start"),
        Key("run", .argv, "the program that is the service; one of run and unit"),
        Key(
            "unit",
            .either([
                .text,
                .object([
                    Key("start", .argv, required: true, ""), Key("stop", .argv, required: true, ""),
                    Key("status", .argv, required: true, ""),
                ]),
            ]), "NAME.service, or {start, stop, status}"),
        Key("user", .text, "who runs it"), Key("env", .map(.text), "its environment"),
        Key("ready", .object(ready), "when it is ready"),
    ]

    static let host: [Key] = [
        Key("address", .text, "on the first network"),
        Key("addresses", .map(.text), "on further networks"),
        Key("vars", .map(.text), "of this host"),
        Key("ssh", .text, "user@host"),
        Key(
            "power", .open,
            "{redfish: URL, credentials: env:NAME}, {command: {off, on}}, {sysrq: true}"),
    ]

    static let network: [Key] = [
        Key("subnet", .shaped("^[0-9.]+/[0-9]+$"), required: true, "10.77.0.0/24"),
        Key("vips", .list(.text), "virtual addresses; the first is {{vip}}"),
        Key("interface", .text, "its name on ssh hosts"),
    ]

    static let probe: [Key] = [
        Key("host", .text, required: true, "a host or a role"),
        Key("run", .argv, required: true, "the question"),
        Key("equals", .text, required: true, "the text that means yes"),
        Key("every", .duration, "how often it is asked"),
    ]

    static let primary: [Key] = [
        Key("holds", .text, "primary is who holds this address"),
        Key("run", .argv, "primary is where this prints `equals`"),
        Key(
            "query", .open,
            "{client: redis, command: ROLE, equals: master}, or client: postgres with sql"),
        Key("equals", .text, "with run"), Key("every", .duration, "with run and query"),
    ]

    static let system: [Key] = [
        Key("apiVersion", .word(["firedrill/v1"]), required: true, "the version of this format"),
        Key("kind", .word(["System"]), required: true, "System"),
        Key("name", .shaped("^\(namePattern)$"), required: true, "the system's name"),
        Key("title", .text, "one line for people"),
        Key("lab", .word(LabKind.allCases.map(\.rawValue)), "namespaces unless given"),
        Key("vars", .map(.text), "what templates and values may use"),
        Key(
            "requires",
            .list(
                .object([
                    Key("program", .text, required: true, "a program"),
                    Key("package", .text, required: true, "its Debian package"),
                ])), "what must be installed"),
        Key("networks", .map(.object(network)), required: true, "one or more"),
        Key("hosts", .map(.object(host)), required: true, "any names; load runs on `client`"),
        Key("services", .map(.object(service)), "what runs on the hosts"),
        Key(
            "roles",
            .object([
                Key("among", .list(.text), required: true, "the hosts of the pair"),
                Key("handover", .duration, "how long both may hold the address; 20ms unless given"),
                Key("primary", .object(primary), required: true, "who is primary"),
            ]), "none: active-active"),
        Key("redundancy", .object(probe), "the standby is in step"),
        Key(
            "switchover",
            .object([
                Key("host", .text, "primary unless given"), Key("run", .argv, "a program"),
                Key(
                    "signal",
                    .object([
                        Key("service", .text, required: true, "a service"),
                        Key("name", .word(Signal.names), required: true, "TERM, HUP, …"),
                    ]), "a signal"),
            ]), "the planned change of roles"),
        Key(
            "noticed",
            .object([
                Key("service", .text, required: true, "whose log"),
                Key("log", .text, required: true, "a text that a line contains"),
            ]), "the system says that it noticed"),
        Key(
            "promises",
            .object([Key("lost_writes", .word(["none", "some"]), "some unless given")]),
            "what the configuration promises"),
        Key(
            "predict",
            .object([
                Key(
                    "rto",
                    .object(
                        [
                            Key(
                                "formula", .word(PredictionCatalog.all.map(\.name)),
                                "from the catalog"),
                            Key("at_least", .duration, "with at_most and source"),
                            Key("at_most", .duration, "with at_least and source"),
                            Key("source", .text, "who says so"),
                        ] + PredictionCatalog.keys), required: true, "of losing one host")
            ]), "what theory says"),
        Key(
            "limits",
            .object([
                Key("ready", .duration, "30s unless given"),
                Key("boot", .duration, "10s unless given"),
                Key("steady", .duration, "60s unless given"),
                Key("verify", .duration, "30s unless given"),
                Key("timer", .duration, "the system's longest timer"),
            ]), "how long things may take"),
    ]

    /// The keys of a key that is a mapping.
    static func keys(of name: String, in keys: [Key]) -> [Key] {
        guard let key = keys.first(where: { $0.name == name }) else { return [] }
        switch key.type {
        case .object(let inner): return inner
        case .map(.object(let inner)), .list(.object(let inner)): return inner
        case .text, .duration, .ratio, .perSecond, .count, .flag, .texts, .argv, .shaped, .word,
            .list, .map, .either, .open:
            return []
        }
    }
}
