import DrillCore
import DrillFaults
import DrillWorkload

extension SystemReader {
    func readRoles(_ tree: Tree) -> Roles? {
        guard
            let fields = reading.fields(
                tree, "'roles'", Grammar.keys(of: "roles", in: Grammar.system))
        else { return nil }
        if let list = fields["among"] {
            let hosts = knownHosts(list, "'among'")
            if let items = list.items, items.count < 2, hosts.count == items.count {
                reading.error(list.place, "'among' needs two hosts")
            }
        }
        let handover = fields["handover"].flatMap { reading.duration($0, "'handover'", scope) }
        guard let primary = fields["primary"].flatMap(readPrimary) else { return nil }
        return Roles(among: among, handover: handover ?? .milliseconds(20), primary: primary)
    }

    private func readPrimary(_ tree: Tree) -> RoleProbe? {
        guard let fields = reading.fields(tree, "'primary'", Grammar.primary) else { return nil }
        let ways = ["holds", "run", "query"].filter { fields[$0] != nil }
        guard ways.count == 1 else {
            reading.error(tree.place, "'primary' needs exactly one of holds, run and query")
            return nil
        }
        if let tree = fields["holds"] {
            for key in ["equals", "every"] where fields[key] != nil {
                reading.error(
                    fields.keyPlace(key),
                    "'holds' has no '\(key)': addresses are watched, not polled")
            }
            guard let address = reading.text(tree, "'holds'", scope) else { return nil }
            let vips = networks.flatMap(\.vips)
            guard vips.contains(address) else {
                reading.error(
                    tree.place, "'holds: \(address)' is no vip of a network",
                    hint: NearWord.hint(address, vips, "vips"))
                return nil
            }
            return .holds(address: address)
        }
        if let run = fields["run"] {
            let every = fields["every"].flatMap { reading.positive($0, "'every'", scope) }
            guard let equals = fields["equals"] else {
                reading.error(
                    tree.place, "'primary' needs 'equals'",
                    hint: "equals: what the program prints where the host is primary")
                return nil
            }
            guard let text = reading.text(equals, "'equals'", scope) else { return nil }
            return .run(commands(run, on: among), equals: text, every: every ?? .milliseconds(20))
        }
        if let query = fields["query"] { return readQuery(query, fields) }
        return nil
    }

    private func readQuery(_ tree: Tree, _ fields: Fields) -> RoleProbe? {
        let every = fields["every"].flatMap { reading.positive($0, "'every'", scope) }
        var parameters: [String: String] = [:]
        let entries = reading.named(tree, "'query'")
        for entry in entries {
            parameters[entry.key] = reading.text(entry.value, "'\(entry.key)'", scope) ?? ""
        }
        for key in ["client", "equals"] where tree.entries != nil && tree[key] == nil {
            reading.error(tree.place, "'query' needs '\(key)'")
        }
        if let tree = fields["equals"] {
            reading.error(tree.place, "'equals' of a query stands inside it")
        }
        let name = parameters.removeValue(forKey: "client") ?? ""
        let equals = parameters.removeValue(forKey: "equals") ?? ""
        if let client = tree["client"], !name.isEmpty { checkQuery(entries, tree, client, name) }
        return .query(
            client: name, parameters: parameters, equals: equals,
            every: every ?? .milliseconds(50))
    }

    private func checkQuery(
        _ entries: [Tree.Entry], _ tree: Tree, _ client: Tree, _ name: String
    ) {
        guard let description = ClientCatalog.named(name) else {
            reading.error(
                client.place, "unknown client '\(name)'",
                hint: NearWord.hintWithList(name, ClientCatalog.all.map(\.name), "clients"))
            return
        }
        if let lack = description.lack { reading.capability(lack) }
        guard let question = description.question else {
            let able = ClientCatalog.all.filter { $0.question != nil }.map(\.name)
            reading.error(
                client.place, "client \(name) cannot ask who is primary",
                hint: able.isEmpty ? nil : "clients that can: \(able.joined(separator: ", "))")
            return
        }
        let known = ["client", "equals", question] + description.parameters.map(\.name)
        for entry in entries where !known.contains(entry.key) {
            reading.error(
                entry.place, "unknown key '\(entry.key)' in 'query'",
                hint: NearWord.hintWithList(entry.key, known, "keys"))
        }
        if tree[question] == nil {
            reading.error(tree.place, "'query' of client \(name) needs '\(question)'")
        }
    }

    /// The program with each host's own values.
    private func commands(_ tree: Tree, on hosts: [HostName]) -> [HostName: [String]] {
        var commands: [HostName: [String]] = [:]
        for host in hosts {
            commands[host] = reading.argv(tree, "'run'", scope.at(host: host, peer: peer(of: host)))
        }
        return commands
    }

    /// A host by name, or the role it plays.
    func selector(_ tree: Tree, _ what: String) -> HostSelector? {
        guard let text = reading.text(tree, what, scope) else { return nil }
        if let role = Role(rawValue: text) {
            guard !among.isEmpty else {
                reading.error(
                    tree.place, "\(what) is '\(text)', but the system has no roles",
                    hint: "name a host: \(hosts.map(\.name.rawValue).joined(separator: ", "))")
                return nil
            }
            return .role(role)
        }
        guard hosts.contains(where: { $0.name.rawValue == text }) else {
            let words =
                (among.isEmpty ? [] : Role.allCases.map(\.rawValue)) + hosts.map(\.name.rawValue)
            reading.error(
                tree.place, "unknown host '\(text)'",
                hint: NearWord.hint(text, words, among.isEmpty ? "hosts" : "roles and hosts"))
            return nil
        }
        return .host(HostName(text))
    }

    private func candidates(_ selector: HostSelector) -> [HostName] {
        switch selector {
        case .host(let host): [host]
        case .role, .every: among
        }
    }

    func readProbe(_ tree: Tree, _ name: String) -> Probe? {
        guard let fields = reading.fields(tree, "'\(name)'", Grammar.probe),
            let host = fields["host"].flatMap({ selector($0, "'host'") }),
            let run = fields["run"],
            let equals = fields["equals"].flatMap({ reading.text($0, "'equals'", scope) })
        else { return nil }
        let every = fields["every"].flatMap { reading.positive($0, "'every'", scope) }
        return Probe(
            host: host, run: commands(run, on: candidates(host)), equals: equals,
            every: every ?? .milliseconds(200))
    }

    func readSwitchover(_ tree: Tree, _ services: [Service]) -> SwitchoverAction? {
        let keys = Grammar.keys(of: "switchover", in: Grammar.system)
        guard let fields = reading.fields(tree, "'switchover'", keys) else { return nil }
        var host: HostSelector? = among.isEmpty ? nil : .role(.primary)
        if let tree = fields["host"] { host = selector(tree, "'host'") }
        guard let host else {
            if fields["host"] == nil {
                reading.error(
                    tree.place, "'switchover' needs 'host'",
                    hint: "the system has no roles: name a host")
            }
            return nil
        }
        switch (fields["run"], fields["signal"]) {
        case (nil, nil), (_?, _?):
            reading.error(tree.place, "'switchover' needs exactly one of run and signal")
            return nil
        case (let run?, nil):
            return SwitchoverAction(host: host, kind: .run(commands(run, on: candidates(host))))
        case (nil, let signal?):
            let keys = [
                Key("service", .text, required: true, ""), Key("name", .text, required: true, ""),
            ]
            guard let fields = reading.fields(signal, "'signal'", keys),
                let service = fields["service"].flatMap({ knownService($0, services) }),
                let name = fields["name"].flatMap({ signalName($0) })
            else { return nil }
            return SwitchoverAction(host: host, kind: .signal(service: service, name: name))
        }
    }

    private func knownService(_ tree: Tree, _ services: [Service]) -> ServiceName? {
        guard let text = reading.text(tree, "'service'", scope) else { return nil }
        guard services.contains(where: { $0.name.rawValue == text }) else {
            reading.error(
                tree.place, "unknown service '\(text)'",
                hint: NearWord.hint(text, services.map(\.name.rawValue), "services"))
            return nil
        }
        return ServiceName(text)
    }

    private func signalName(_ tree: Tree) -> String? {
        guard let text = reading.text(tree, "'name'", scope) else { return nil }
        guard Signal.number(text) != nil else {
            reading.error(
                tree.place, "unknown signal '\(text)'",
                hint: NearWord.hint(text, Signal.names, "signals"))
            return nil
        }
        return text
    }

    func readNoticed(_ tree: Tree, _ services: [Service]) -> LogPattern? {
        let keys = Grammar.keys(of: "noticed", in: Grammar.system)
        guard let fields = reading.fields(tree, "'noticed'", keys),
            let service = fields["service"].flatMap({ knownService($0, services) }),
            let log = fields["log"], let text = reading.text(log, "'log'", scope)
        else { return nil }
        guard !text.isEmpty else {
            reading.error(log.place, "'log' is empty: every line would match")
            return nil
        }
        return LogPattern(service: service, text: text)
    }

    func readPrediction(_ tree: Tree) -> Prediction? {
        guard
            let outer = reading.fields(
                tree, "'predict'", [Key("rto", .open, required: true, "of losing one host")]),
            let tree = outer["rto"]
        else { return nil }
        let survivors = among.isEmpty ? hosts.map(\.name).filter { $0 != "client" } : among
        if let formulaTree = tree["formula"] {
            let names = PredictionCatalog.all.map(\.name)
            guard let name = reading.word(formulaTree, "'formula'", names, scope),
                let formula = PredictionCatalog.all.first(where: { $0.name == name })
            else { return nil }
            return predict(tree, formula, survivors)
        }
        let keys = [
            Key("at_least", .duration, required: true, "a duration"),
            Key("at_most", .duration, required: true, "a duration"),
            Key("source", .text, required: true, "who says so"),
            Key("formula", .text, names(of: PredictionCatalog.all)),
        ]
        guard let fields = reading.fields(tree, "'rto' of 'predict'", keys),
            let low = fields["at_least"].flatMap({ reading.duration($0, "'at_least'", scope) }),
            let high = fields["at_most"].flatMap({ reading.duration($0, "'at_most'", scope) }),
            let source = fields["source"].flatMap({ reading.text($0, "'source'", scope) })
        else { return nil }
        guard low <= high else {
            reading.error(fields.keyPlace("at_most"), "'at_most' is less than 'at_least'")
            return nil
        }
        let range = low.milliseconds...high.milliseconds
        return Prediction(
            rtoBySurvivor: Dictionary(uniqueKeysWithValues: survivors.map { ($0, range) }),
            source: source)
    }

    private func names(of formulas: [PredictionFormula]) -> String {
        formulas.map(\.name).joined(separator: ", ")
    }

    private func predict(
        _ tree: Tree, _ formula: PredictionFormula, _ survivors: [HostName]
    ) -> Prediction? {
        let keys =
            [Key("formula", .text, "")]
            + formula.durations.map { Key($0, .duration, required: true, "a duration") }
            + formula.hostVariables.map {
                Key($0, .text, required: true, "the name of a host variable")
            }
        guard let fields = reading.fields(tree, "formula '\(formula.name)'", keys) else {
            return nil
        }
        var durations: [String: Duration] = [:]
        for key in formula.durations {
            guard let tree = fields[key], let value = reading.positive(tree, "'\(key)'", scope)
            else {
                return nil
            }
            durations[key] = value
        }
        var ranges: [HostName: ClosedRange<Double>] = [:]
        for host in survivors {
            var variables: [String: Double] = [:]
            for key in formula.hostVariables {
                guard let tree = fields[key], let name = reading.text(tree, "'\(key)'", scope)
                else {
                    return nil
                }
                switch scope.at(host: host, peer: peer(of: host)).value(of: name) {
                case .failure(let error):
                    reading.error(
                        tree.place, "\(error.message) on host '\(host)'", hint: error.hint)
                    return nil
                case .success(let text):
                    guard let value = Double(text) else {
                        reading.error(
                            tree.place, "'\(name)' of host '\(host)' is '\(text)', not a number")
                        return nil
                    }
                    variables[key] = value
                }
            }
            guard let range = formula.range(durations, variables) else {
                reading.error(
                    tree.place, "formula '\(formula.name)' has no answer for host '\(host)'",
                    hint: variables.map { "\($0.key) is \($0.value.formattedShortly)" }.sorted()
                        .joined(separator: ", "))
                return nil
            }
            ranges[host] = range
        }
        return Prediction(rtoBySurvivor: ranges, source: formula.source)
    }
}

extension Double {
    /// Without a fraction where it has none, else with at most two digits of it.
    var formattedShortly: String {
        guard isFinite, magnitude < 1e15 else { return "\(self)" }
        let hundredths = Int64((self * 100).rounded())
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)" }
        let digits = Int(rest.magnitude)
        let sign = whole == 0 && hundredths < 0 ? "-" : ""
        let text = digits < 10 ? "0\(digits)" : "\(digits)"
        return "\(sign)\(whole).\(text.hasSuffix("0") ? String(text.dropLast()) : text)"
    }
}
