import DrillCore
import DrillFaults
import DrillWorkload

/// A scenario file's tree to a `Scenario`, for one cell of its matrix and the system of that cell.
struct ScenarioReader {
    let reading: Reading
    let tree: Tree
    let system: System
    /// False where the system could not be read: what depends on it is not judged then.
    let isSystemKnown: Bool
    let scope: Scope

    /// Where things were written, for the checks that come after.
    var workloadPlaces: [WorkloadName: Fields] = [:]
    var stepPlaces: [StepID: Fields] = [:]
    var environmentPlaces: [Fields] = []
    var expectationPlaces: [Place] = []
    var abortPlaces: [Place] = []

    init(reading: Reading, tree: Tree, system: System, isSystemKnown: Bool, scope: Scope) {
        self.reading = reading
        self.tree = tree
        self.system = system
        self.isSystemKnown = isSystemKnown
        self.scope = scope
    }

    mutating func read(trials: Int?, cell: [String: String]) -> Scenario? {
        guard let fields = reading.fields(tree, "a scenario", Grammar.scenario) else { return nil }
        if let tree = fields["apiVersion"] {
            _ = reading.word(tree, "'apiVersion'", ["firedrill/v1"], scope)
        }
        if let tree = fields["kind"] { _ = reading.word(tree, "'kind'", ["Scenario"], scope) }
        let name = fields["name"].flatMap { tree -> String? in
            guard let name = reading.text(tree, "'name'", scope) else { return nil }
            reading.checkName(name, "a scenario's name", at: tree.place)
            return name
        }
        var scenario = Scenario(name: name ?? "", cell: cell, workloads: [], timeline: [])
        scenario.title = fields["title"].flatMap { reading.text($0, "'title'", scope) } ?? ""
        scenario.knownUnsafe = fields["known_unsafe"].flatMap {
            reading.text($0, "'known_unsafe'", scope)
        }
        scenario.trials =
            trials
            ?? fields["trials"].flatMap { reading.count($0, "'trials'", 1...10_000, scope) } ?? 1
        scenario.retries =
            fields["retries"].flatMap { reading.count($0, "'retries'", 0...100, scope) } ?? 0
        if let tree = fields["steady_state"] { scenario.steadyState = readSteadyState(tree) }
        if let tree = fields["stable"] {
            let keys = Grammar.keys(of: "stable", in: Grammar.scenario)
            let inner = reading.fields(tree, "'stable'", keys)
            scenario.stable =
                inner?["for"].flatMap { reading.positive($0, "'stable.for'", scope) } ?? .seconds(1)
        }
        scenario.observe =
            fields["observe"].flatMap { reading.duration($0, "'observe'", scope) } ?? .seconds(30)
        if let tree = fields["environment"] { scenario.environment = readEnvironment(tree) }
        if let tree = fields["workloads"] { scenario.workloads = readWorkloads(tree) }
        if let tree = fields["timeline"] { scenario.timeline = readTimeline(tree) }
        if let tree = fields["expect"] {
            scenario.expectations = readExpectations(
                tree, workloads: scenario.workloads, steps: scenario.timeline,
                trials: scenario.trials)
        }
        if let tree = fields["abort"] { scenario.aborts = readAborts(tree) }
        if let tree = fields["known_unsafe"],
            !scenario.expectations.contains(where: \.showsHarm)
        {
            reading.warning(
                tree.place, "'known_unsafe' names a harm, and nothing in 'expect' would show it",
                hint: "such as split_brain: seen")
        }
        scenario.expectations += implied(scenario)
        return scenario
    }

    private func readSteadyState(_ tree: Tree) -> SteadyState {
        var steady = SteadyState()
        let keys = Grammar.keys(of: "steady_state", in: Grammar.scenario)
        guard let fields = reading.fields(tree, "'steady_state'", keys) else { return steady }
        if let duration = fields["for"].flatMap({
            reading.positive($0, "'steady_state.for'", scope)
        }) {
            steady.duration = duration
        }
        guard let rateTree = fields["success_rate"],
            let text = reading.text(rateTree, "'success_rate'", scope)
        else { return steady }
        let trimmed = text.drop { $0 == ">" || $0 == "=" || $0 == " " }
        let comparison = text.prefix { $0 == ">" || $0 == "=" || $0 == "<" }
        switch (comparison, Quantity.ratio(String(trimmed))) {
        case (">=", .success(let rate)) where rate > 0: steady.successRate = rate
        case (_, .failure(.noUnit)):
            reading.error(
                rateTree.place, "'success_rate' needs a unit: \(trimmed) what?",
                hint: "write \">= \(trimmed)%\"")
        case _:
            reading.error(
                rateTree.place, "'success_rate' must be a least share, not '\(text)'",
                hint: "such as \">= 99.9%\"")
        }
        return steady
    }

    /// Expectations that nobody wrote (docs/MEASUREMENT.md, "Verdicts").
    private func implied(_ scenario: Scenario) -> [Expectation] {
        guard scenario.knownUnsafe == nil, isSystemKnown else { return [] }
        var implied: [Expectation] = []
        let written = Set(scenario.expectations.map(\.metric))
        if system.roles != nil, !written.contains("split_brain") {
            implied.append(
                Expectation(metric: "split_brain", condition: .never, text: "never", implied: true))
        }
        if system.promisesNoLostWrites, !written.contains("rpo_writes"),
            scenario.workloads.contains(where: { $0.operation == .ledger })
        {
            implied.append(
                Expectation(
                    metric: "rpo_writes", condition: .threshold(.max, .equal, 0), text: "max == 0",
                    implied: true))
        }
        // Whoever reads and writes registers asks this.
        if written.isDisjoint(with: ["linearizable", "stale_reads", "lost_updates"]),
            scenario.workloads.contains(where: { $0.operation == .register })
        {
            implied.append(
                Expectation(
                    metric: "linearizable", condition: .never, text: "always", implied: true))
        }
        return implied
    }

    // MARK: - Workloads

    private mutating func readWorkloads(_ tree: Tree) -> [Workload] {
        var workloads: [Workload] = []
        let entries = reading.named(tree, "'workloads'")
        if let all = tree.entries, all.isEmpty {
            reading.error(tree.place, "a scenario needs a workload: nothing else sees an outage")
        }
        for entry in entries {
            reading.checkName(entry.key, "a workload's name", at: entry.place)
            if let workload = readWorkload(entry) { workloads.append(workload) }
        }
        return workloads
    }

    private mutating func readWorkload(_ entry: Tree.Entry) -> Workload? {
        let what = "workload '\(entry.key)'"
        let clientName = entry.value["client"]?.text ?? ""
        let client = ClientCatalog.named(clientName)
        let own =
            client?.parameters.map {
                Key(
                    $0.name, $0.kind == .command ? .argv : .text, required: $0.required, $0.summary)
            } ?? []
        guard
            let fields = reading.fields(
                entry.value, what, Grammar.workload + own,
                checkUnknown: client != nil || entry.value["client"] == nil)
        else { return nil }
        let name = WorkloadName(entry.key)
        workloadPlaces[name] = fields
        if let tree = fields["client"], let text = reading.text(tree, "'client'", scope),
            client == nil
        {
            reading.error(
                tree.place, "unknown client '\(text)'",
                hint: NearWord.hintWithList(text, ClientCatalog.all.map(\.name), "clients"))
        }
        let rate = fields["rate"].flatMap { reading.perSecond($0, "'rate'", scope) }
        let arrival = fields["arrival"].flatMap {
            reading.word($0, "'arrival'", Arrival.allCases.map(\.rawValue), scope)
        }.flatMap(Arrival.init(rawValue:))
        let operation = fields["operation"].flatMap {
            reading.word($0, "'operation'", WorkloadOperation.allCases.map(\.rawValue), scope)
        }.flatMap(WorkloadOperation.init(rawValue:))
        let timeout = fields["timeout"].flatMap { reading.positive($0, "'timeout'", scope) }
        let slow = fields["slow"].flatMap { reading.positive($0, "'slow'", scope) }
        let lanes = fields["lanes"].map { readLanes($0) } ?? [.fresh]
        let from = readFrom(fields, what, at: entry.place)
        guard let client, let rate, let from else { return nil }
        var workload = Workload(
            name: name, client: client.name, from: from, rate: rate, arrival: arrival ?? .constant,
            lanes: lanes, operation: operation ?? .get, timeout: timeout ?? .seconds(1), slow: slow)
        workload.parameters = readParameters(client, fields)
        checkAlternatives(client, fields, entry.place)
        if lanes.contains(.kept) {
            for needed in client.keptLaneNeeds where fields[needed] == nil {
                reading.error(
                    fields.keyPlace("lanes"),
                    "the kept lane of client \(client.name) needs '\(needed)'",
                    hint: "a kept connection shows nothing without an exchange of bytes")
            }
        }
        if let lack = client.lack { reading.capability("\(what): \(lack)") }
        if let operation, !client.operations.contains(operation) {
            let able = ClientCatalog.all.filter { $0.operations.contains(operation) }
            reading.error(
                fields.keyPlace("operation"),
                "client \(client.name) has no operation \(operation.rawValue)",
                hint: "clients that have it: \(able.map(\.name).joined(separator: ", "))")
        }
        readConnections(fields, &workload)
        return workload
    }

    private func readLanes(_ tree: Tree) -> [Lane] {
        var lanes: [Lane] = []
        for item in reading.items(tree, "'lanes'") {
            guard
                let word = reading.word(
                    item, "an entry of 'lanes'", Lane.allCases.map(\.rawValue), scope),
                let lane = Lane(rawValue: word)
            else { continue }
            if lanes.contains(lane) {
                reading.error(item.place, "lane '\(word)' is there twice")
            } else {
                lanes.append(lane)
            }
        }
        if let items = tree.items, items.isEmpty { reading.error(tree.place, "'lanes' is empty") }
        return lanes.isEmpty ? [.fresh] : lanes
    }

    private func readFrom(_ fields: Fields, _ what: String, at place: Place) -> HostSelector? {
        guard let tree = fields["from"] else {
            if isSystemKnown, system.host("client") == nil {
                reading.error(
                    place, "\(what) needs 'from': the system has no host 'client'",
                    hint: "hosts: \(system.hosts.map(\.name.rawValue).joined(separator: ", "))")
            }
            return .host("client")
        }
        return selector(tree, "'from'")
    }

    private func readConnections(_ fields: Fields, _ workload: inout Workload) {
        guard let tree = fields["connections"],
            let given = reading.count(tree, "'connections'", 1...100_000, scope)
        else { return }
        workload.connections = given
        let least = Workload.leastConnections(rate: workload.rate, timeout: workload.timeout)
        if given < least {
            reading.error(
                tree.place,
                "\(given) connections cannot carry an outage: \(workload.rate.formattedShortly)/s × \(workload.timeout.spelled) needs \(least)",
                hint:
                    "write connections: \(least) or more, or leave it out (\(Workload.defaultConnections(rate: workload.rate, timeout: workload.timeout)))"
            )
        }
    }

    private func readParameters(
        _ client: ClientDescription, _ fields: Fields
    ) -> [String: String] {
        var values: [String: String] = [:]
        for parameter in client.parameters {
            guard let tree = fields[parameter.name] else {
                values[parameter.name] = parameter.defaultValue
                continue
            }
            if parameter.kind == .command {
                values[parameter.name] = reading.argv(tree, "'\(parameter.name)'", scope)
                    .flatMap { try? JSONLine.encode($0) }
                continue
            }
            guard let text = reading.text(tree, "'\(parameter.name)'", scope) else { continue }
            values[parameter.name] = text
            if scope.isMasked, text.contains("***") { continue }
            switch parameter.kind {
            case .text, .command: break
            case .duration: _ = reading.positive(tree, "'\(parameter.name)'", scope)
            case .conninfo:
                if let problem = PostgresClient.problem(conninfo: text) {
                    reading.error(tree.place, problem)
                }
            case .word(let words): _ = reading.word(tree, "'\(parameter.name)'", words, scope)
            case .url:
                guard let address = HTTPAddress(text) else {
                    reading.error(
                        tree.place,
                        "'\(parameter.name)' must be an http URL with a numeric address, not '\(text)'",
                        hint:
                            "such as http://\(system.networks.first?.vips.first ?? "10.77.0.10"):80/; a name's look-up can block"
                    )
                    continue
                }
                checkKnown(address, tree.place)
            case .hostAndPort, .hostsAndPorts:
                let isList = parameter.kind == .hostsAndPorts
                for part in isList ? text.split(separator: ",") : [text[...]] {
                    let one = String(part.drop { $0 == " " })
                    guard let address = HTTPAddress(hostAndPort: one) else {
                        reading.error(
                            tree.place, "'\(parameter.name)' must be ADDRESS:PORT, not '\(one)'",
                            hint: isList
                                ? "such as \"10.77.0.11:26379,10.77.0.12:26379\""
                                : "such as 10.77.0.10:6379")
                        continue
                    }
                    checkKnown(address, tree.place)
                }
            case .port:
                if !(1...65_535).contains(Quantity.count(text) ?? 0) {
                    reading.error(
                        tree.place,
                        "'\(parameter.name)' must be a port from 1 to 65535, not '\(text)'")
                }
            }
        }
        return values
    }

    /// One of the client's alternatives is given, and that whole.
    private func checkAlternatives(_ client: ClientDescription, _ fields: Fields, _ place: Place) {
        guard !client.alternatives.isEmpty else { return }
        let begun = client.alternatives.filter { $0.contains { fields[$0] != nil } }
        if begun.count == 1, begun[0].allSatisfy({ fields[$0] != nil }) { return }
        reading.error(place, "client \(client.name) needs \(client.choice)")
    }

    private func checkKnown(_ address: HTTPAddress, _ place: Place) {
        guard isSystemKnown, !address.address.isLoopback else { return }
        let known =
            system.networks.flatMap(\.vips) + system.hosts.flatMap { $0.addresses.map(\.address) }
        if !known.contains(address.host) {
            reading.warning(
                place, "\(address.host) is no address of a host and no vip",
                hint: "known: \(known.joined(separator: ", "))")
        }
    }

    // MARK: - Hosts and links

    func selector(_ tree: Tree, _ what: String) -> HostSelector? {
        guard let text = reading.text(tree, what, scope) else { return nil }
        return selector(text, what, at: tree.place)
    }

    func selector(_ text: String, _ what: String, at place: Place) -> HostSelector? {
        if let role = Role(rawValue: text) {
            if isSystemKnown, system.roles == nil {
                reading.error(
                    place, "\(what) is '\(text)', but the system has no roles",
                    hint:
                        "name a host: \(system.hosts.map(\.name.rawValue).joined(separator: ", "))")
                return nil
            }
            return .role(role)
        }
        guard !isSystemKnown || system.host(HostName(text)) != nil else {
            let roles = system.roles == nil ? [] : Role.allCases.map(\.rawValue)
            let words = roles + system.hosts.map(\.name.rawValue)
            reading.error(
                place, "unknown host '\(text)'",
                hint: NearWord.hint(text, words, roles.isEmpty ? "hosts" : "roles and hosts"))
            return nil
        }
        return .host(HostName(text))
    }

    func link(_ tree: Tree) -> LinkSelector? {
        guard let text = reading.text(tree, "'link'", scope) else { return nil }
        let hint = "write \"a->b\" for one way, \"a<->b\" for both; '*' is every other host"
        let arrows = ["<->", "->"]
        guard let arrow = arrows.first(where: { text.contains($0) }) else {
            reading.error(
                tree.place, "'link' must be two hosts and an arrow, not '\(text)'",
                hint: text.contains("<-") ? "write the arrow from the sender: \"a->b\"" : hint)
            return nil
        }
        let parts = text.split(separator: arrow, omittingEmptySubsequences: false).map {
            String($0.filter { $0 != " " })
        }
        guard parts.count == 2, !parts.contains(""),
            !parts.contains(where: { $0.contains("<") || $0.contains(">") })
        else {
            reading.error(
                tree.place, "'link' must be two hosts and an arrow, not '\(text)'", hint: hint)
            return nil
        }
        let sides = parts.map { part -> HostSelector? in
            part == "*" ? .every : selector(part, "a side of 'link'", at: tree.place)
        }
        guard let from = sides[0], let to = sides[1] else { return nil }
        guard from != to else {
            reading.error(
                tree.place, "'link' has the same host on both sides: '\(text)'", hint: hint)
            return nil
        }
        return LinkSelector(from: from, to: to, bothWays: arrow == "<->")
    }
}
