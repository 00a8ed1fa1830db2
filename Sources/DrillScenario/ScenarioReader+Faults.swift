import DrillCore
import DrillFaults

extension ScenarioReader {
    /// A fault with its target and its own keys. `fields` are those of the step, or of the environment's entry.
    func readFault(_ fields: Fields) -> (use: FaultUse, description: FaultDescription)? {
        guard let tree = fields["fault"], let name = reading.text(tree, "'fault'", scope) else {
            return nil
        }
        guard let description = FaultCatalog.named(name)?.description else {
            reading.error(
                tree.place, "unknown fault '\(name)'",
                hint: NearWord.hintWithList(
                    name, FaultCatalog.all.map { $0.description.name }, "faults"))
            return nil
        }
        let before = reading.diagnostics.count
        let target = readTarget(fields, description)
        let parameters = readParameters(fields, description, target)
        let network = readNetwork(fields, description, target)
        let traffic = fields["traffic"].flatMap { readTraffic($0, description, fields) }
        guard let target else { return nil }
        let use = FaultUse(
            fault: name, target: target, network: network, traffic: traffic,
            parameters: parameters)
        // What is missing or cannot be read was told already.
        let needed = description.parameters.filter(\.required).map(\.name)
        if reading.diagnostics.count == before, needed.allSatisfy({ fields[$0] != nil }) {
            checkSense(use, fields)
        }
        return (use, description)
    }

    /// What the fault itself says of its parameters, at the key that it names.
    private func checkSense(_ use: FaultUse, _ fields: Fields) {
        guard isSystemKnown, let problem = PossiblePlans(use, system).problem else { return }
        let key = problem.parameter ?? "fault"
        let place = fields[key]?.place ?? fields.keyPlace("fault")
        reading.error(place, problem.description, hint: problem.hint)
    }

    /// The step's or entry's keys: those of the grammar and those of its fault.
    static func keys(_ grammar: [Key], of tree: Tree) -> (keys: [Key], isFaultKnown: Bool) {
        guard let name = tree["fault"]?.text else { return (grammar, true) }
        guard let description = FaultCatalog.named(name)?.description else {
            return (grammar, false)
        }
        let own = description.parameters.map {
            Key($0.name, .text, required: $0.required, $0.summary)
        }
        return (grammar + own, true)
    }

    private func readTarget(_ fields: Fields, _ description: FaultDescription) -> FaultTarget? {
        switch description.target {
        case .host:
            if fields["link"] != nil {
                reading.error(
                    fields.keyPlace("link"), "\(description.name) takes 'host', not 'link'",
                    hint: description.name.hasPrefix("link.")
                        ? "it is the carrier of that host's switch port; link.partition takes a link"
                        : nil)
                return nil
            }
            guard let tree = fields["host"] else {
                reading.error(
                    fields.place, "\(description.name) needs 'host'", hint: hostHint)
                return nil
            }
            return selector(tree, "'host'").map { .host($0) }
        case .link:
            if fields["host"] != nil {
                reading.error(
                    fields.keyPlace("host"), "\(description.name) takes 'link', not 'host'",
                    hint: "write link: \"a->b\" for one way, \"a<->b\" for both")
                return nil
            }
            guard let tree = fields["link"] else {
                reading.error(
                    fields.place, "\(description.name) needs 'link'",
                    hint: "write link: \"a->b\" for one way, \"a<->b\" for both")
                return nil
            }
            return link(tree).map { .link($0) }
        }
    }

    private var hostHint: String {
        let roles = system.roles == nil ? [] : Role.allCases.map(\.rawValue)
        return "host: \((roles + system.hosts.map(\.name.rawValue)).joined(separator: ", "))"
    }

    private func readNetwork(
        _ fields: Fields, _ description: FaultDescription, _ target: FaultTarget?
    ) -> NetworkName? {
        guard let tree = fields["network"], let text = reading.text(tree, "'network'", scope) else {
            return nil
        }
        guard description.takesNetwork else {
            reading.error(fields.keyPlace("network"), "\(description.name) takes no 'network'")
            return nil
        }
        let names = system.networks.map(\.name)
        guard !isSystemKnown || names.contains(NetworkName(text)) else {
            reading.error(
                tree.place, "unknown network '\(text)'",
                hint: NearWord.hint(text, names.map(\.rawValue), "networks"))
            return nil
        }
        let hosts: [HostSelector] =
            switch target {
            case .host(let host)?: [host]
            case .link(let link)?: [link.from, link.to]
            case nil: []
            }
        for case .host(let name) in hosts {
            guard let host = system.host(name) else { continue }
            if !host.addresses.contains(where: { $0.network.rawValue == text }) {
                reading.error(tree.place, "host '\(name)' is not on network '\(text)'")
            }
        }
        return NetworkName(text)
    }

    private func readTraffic(
        _ tree: Tree, _ description: FaultDescription, _ fields: Fields
    ) -> String? {
        guard let text = reading.text(tree, "'traffic'", scope) else { return nil }
        guard description.target == .link else {
            reading.error(fields.keyPlace("traffic"), "\(description.name) takes no 'traffic'")
            return nil
        }
        guard TrafficSelector(spelled: text) != nil else {
            reading.error(
                tree.place, "'traffic' cannot be '\(text)'", hint: "write tcp/5432, udp/53 or vrrp")
            return nil
        }
        return text
    }

    private func readParameters(
        _ fields: Fields, _ description: FaultDescription, _ target: FaultTarget?
    ) -> [String: String] {
        var values: [String: String] = [:]
        for parameter in description.parameters {
            guard let tree = fields[parameter.name] else {
                values[parameter.name] = parameter.defaultValue
                continue
            }
            let what = "'\(parameter.name)'"
            if parameter.kind == .command {
                values[parameter.name] = readCommand(tree, what, target)
                continue
            }
            guard let text = reading.text(tree, what, scope) else { continue }
            values[parameter.name] = text
            if scope.isMasked, text.contains("***") { continue }
            switch parameter.kind {
            case .duration: _ = reading.duration(tree, what, scope)
            case .count: _ = reading.count(tree, what, 0...1_000_000_000, scope)
            case .word(let words): _ = reading.word(tree, what, words, scope)
            case .ratio: check(Quantity.ratio(text).map { _ in }, text, what, "1%", tree.place)
            case .rate: check(Quantity.rate(text).map { _ in }, text, what, "20Mbit/s", tree.place)
            case .size: check(Quantity.size(text).map { _ in }, text, what, "64kB", tree.place)
            case .path: checkPath(text, what, tree.place)
            case .offset: check(Quantity.offset(text).map { _ in }, text, what, "-90s", tree.place)
            case .command: break  // A list, read above.
            case .service: checkService(text, target, tree.place)
            case .signal:
                if Signal.number(text) == nil {
                    reading.error(
                        tree.place, "unknown signal '\(text)'",
                        hint: NearWord.hint(text, Signal.names, "signals"))
                }
            }
        }
        return values
    }

    private func check(
        _ result: Result<Void, Quantity.Failure>, _ text: String, _ what: String,
        _ example: String, _ place: Place
    ) {
        switch result {
        case .success: break
        case .failure(.noUnit):
            reading.error(place, "\(what) needs a unit: \(text) what?", hint: "such as \(example)")
        case .failure(.malformed), .failure(.tooLarge):
            reading.error(place, "\(what) cannot be '\(text)'", hint: "such as \(example)")
        }
    }

    private func checkService(_ text: String, _ target: FaultTarget?, _ place: Place) {
        guard isSystemKnown else { return }
        guard let service = system.service(ServiceName(text)) else {
            reading.error(
                place, "unknown service '\(text)'",
                hint: NearWord.hint(text, system.services.map(\.name.rawValue), "services"))
            return
        }
        let hosts: [HostName] =
            switch target {
            case .host(.host(let host))?: [host]
            case .host(.role)?: system.roles?.among ?? []
            case .host(.every)?, .link?, nil: []
            }
        for host in hosts where !service.hosts.contains(host) {
            reading.error(
                place, "service '\(text)' does not run on host '\(host)'",
                hint: "it runs on: \(service.hosts.map(\.rawValue).joined(separator: ", "))")
        }
    }

    // MARK: - Environment

    mutating func readEnvironment(_ tree: Tree) -> [FaultUse] {
        var uses: [FaultUse] = []
        for item in reading.items(tree, "'environment'") {
            let (keys, known) = Self.keys(Grammar.environmentUse, of: item)
            guard
                let fields = reading.fields(
                    item, "an entry of 'environment'", keys, checkUnknown: known),
                let (use, description) = readFault(fields)
            else { continue }
            guard description.heals else {
                reading.error(
                    fields.keyPlace("fault"),
                    "\(use.fault) is over at once and cannot be an environment")
                continue
            }
            guard description.isCondition else {
                reading.error(
                    fields.keyPlace("fault"),
                    "\(use.fault) leaves nothing to measure and cannot be an environment",
                    hint: "make it a step of the timeline")
                continue
            }
            if let role = Self.role(in: use.target) {
                reading.error(
                    fields.keyPlace(description.target.rawValue),
                    "'\(role.rawValue)' is not known before the environment is there",
                    hint:
                        "name a host: \(system.hosts.map(\.name.rawValue).joined(separator: ", "))"
                )
                continue
            }
            uses.append(use)
            environmentPlaces.append(fields)
        }
        return uses
    }

    private static func role(in target: FaultTarget) -> Role? {
        let sides: [HostSelector] =
            switch target {
            case .host(let host): [host]
            case .link(let link): [link.from, link.to]
            }
        for case .role(let role) in sides { return role }
        return nil
    }
}
