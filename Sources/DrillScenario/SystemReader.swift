import DrillCore

/// A system file's tree to a `System`, for one set of variables.
struct SystemReader {
    let reading: Reading
    let tree: Tree
    /// The folder that template paths are relative to.
    let folder: String
    let options: ScenarioLoader.Options
    let templates: TemplateFiles
    var scope: Scope

    var hosts: [Host] = []
    var networks: [Network] = []
    var subnets: [NetworkName: Subnet] = [:]
    var among: [HostName] = []

    init(
        reading: Reading, tree: Tree, folder: String, scope: Scope, options: ScenarioLoader.Options,
        templates: TemplateFiles
    ) {
        self.reading = reading
        self.tree = tree
        self.folder = folder
        self.scope = scope
        self.options = options
        self.templates = templates
    }

    mutating func read() -> System? {
        guard let fields = reading.fields(tree, "a system", Grammar.system) else { return nil }
        let header = readHeader(fields)
        if let tree = fields["networks"] { readNetworks(tree) }
        if let tree = fields["hosts"] { readHosts(tree) }
        readAmong(fields["roles"])
        let lab =
            fields["lab"].flatMap {
                reading.word($0, "'lab'", LabKind.allCases.map(\.rawValue), scope)
            }.flatMap(LabKind.init(rawValue:)) ?? .namespaces
        switch lab {
        case .namespaces: break
        case .ssh, .vm:
            reading.capability("lab: \(lab.rawValue) comes later; this version runs namespaces")
        }
        let requires = fields["requires"].map { readRequires($0, lab: lab) } ?? []
        var system = System(
            name: header.name, title: header.title, lab: lab, requires: requires,
            networks: networks, hosts: hosts)
        system.limits = fields["limits"].map(readLimits) ?? Limits()
        system.services = fields["services"].map(readServices) ?? []
        let services = system.services
        system.roles = fields["roles"].flatMap(readRoles)
        if let roles = fields["roles"], system.roles == nil, !among.isEmpty {
            // Reported already; kept so that nothing else is reported because of it.
            _ = roles
            system.roles = Roles(among: among, primary: .holds(address: scope.vip ?? ""))
        }
        system.redundancy = fields["redundancy"].flatMap { readProbe($0, "redundancy") }
        system.switchover = fields["switchover"].flatMap { readSwitchover($0, services) }
        system.noticed = fields["noticed"].flatMap { readNoticed($0, services) }
        system.promisesNoLostWrites = fields["promises"].map(readPromises) ?? false
        system.prediction = fields["predict"].flatMap(readPrediction)
        if let roles = fields["services"]?.entries {
            checkReadyRole(roles, hasRoles: system.roles != nil)
        }
        return system
    }

    private func readHeader(_ fields: Fields) -> (name: String, title: String) {
        if let tree = fields["apiVersion"] {
            _ = reading.word(tree, "'apiVersion'", ["firedrill/v1"], scope)
        }
        if let tree = fields["kind"] { _ = reading.word(tree, "'kind'", ["System"], scope) }
        let name = fields["name"].flatMap { tree -> String? in
            guard let name = reading.text(tree, "'name'", scope) else { return nil }
            reading.checkName(name, "a system's name", at: tree.place)
            return name
        }
        let title = fields["title"].flatMap { reading.text($0, "'title'", scope) }
        return (name ?? "", title ?? "")
    }

    // MARK: - Networks and hosts

    private mutating func readNetworks(_ tree: Tree) {
        for entry in reading.named(tree, "'networks'") {
            reading.checkName(entry.key, "a network's name", at: entry.place)
            let keys = Grammar.keys(of: "networks", in: Grammar.system)
            guard let fields = reading.fields(entry.value, "network '\(entry.key)'", keys) else {
                continue
            }
            let name = NetworkName(entry.key)
            var subnetText = ""
            if let tree = fields["subnet"], let text = reading.text(tree, "'subnet'", scope) {
                subnetText = text
                if let subnet = Subnet(text) {
                    if subnet.isAligned {
                        subnets[name] = subnet
                    } else {
                        let base = Subnet.text(subnet.base & subnet.mask)
                        reading.error(
                            tree.place, "'\(text)' has bits beyond its prefix",
                            hint: "did you mean '\(base)/\(subnet.prefix)'?")
                    }
                } else {
                    reading.error(
                        tree.place, "'\(text)' is no IPv4 subnet",
                        hint: "such as 10.77.0.0/24, with a prefix from 8 to 30")
                }
            }
            if let tree = fields["interface"] {
                _ = reading.text(tree, "'interface'", scope)
                reading.capability(
                    "networks.\(entry.key).interface is for ssh hosts, which come later")
            }
            var vips: [String] = []
            for item in fields["vips"].map({ reading.items($0, "'vips'") }) ?? [] {
                guard let text = reading.text(item, "a vip", scope) else { continue }
                // Kept where it is wrong too, so that {{vip}} is not reported as well.
                _ = checkAddress(text, "vip", on: name, at: item.place)
                if vips.contains(text) {
                    reading.error(item.place, "vip \(text) is there twice")
                }
                vips.append(text)
            }
            networks.append(Network(name: name, subnet: subnetText, vips: vips))
        }
        if networks.isEmpty, tree.entries != nil {
            reading.error(tree.place, "a system needs a network")
        }
        // The first vip: of the first network, where it has one.
        scope.vip = networks.first { !$0.vips.isEmpty }?.vips.first
    }

    private func checkAddress(
        _ text: String, _ what: String, on network: NetworkName, at place: Place
    ) -> Bool {
        guard let address = Address(text) else {
            reading.error(place, "\(what) '\(text)' is no IPv4 address", hint: "such as 10.77.0.11")
            return false
        }
        guard let subnet = subnets[network] else { return true }
        let spelled = "\(Subnet.text(subnet.base))/\(subnet.prefix)"
        guard subnet.contains(address) else {
            reading.error(
                place, "\(what) \(text) is outside network '\(network)' (\(spelled))")
            return false
        }
        guard subnet.isUsable(address) else {
            reading.error(
                place,
                "\(what) \(text) is the first or last address of network '\(network)' (\(spelled)), which no host can have"
            )
            return false
        }
        return true
    }

    private mutating func readHosts(_ tree: Tree) {
        var owners: [String: String] = [:]
        for vip in networks.flatMap(\.vips) { owners[vip] = "a vip" }
        var pending:
            [(
                name: HostName, addresses: [(network: NetworkName, address: String)],
                vars: [String: String]
            )] = []
        for entry in reading.named(tree, "'hosts'") {
            let name = HostName(entry.key)
            if Role(rawValue: entry.key) != nil {
                reading.error(entry.place, "'\(entry.key)' is a role and cannot be a host's name")
            } else {
                reading.checkName(entry.key, "a host's name", at: entry.place)
            }
            if entry.key == "peer" || entry.key == "env" {
                reading.error(
                    entry.place,
                    "'\(entry.key)' has a meaning in templates and cannot be a host's name")
            }
            if entry.key.utf8.count > 15 {
                reading.error(entry.place, "host '\(entry.key)' has a name of more than 15 bytes")
            }
            let keys = Grammar.host
            guard let fields = reading.fields(entry.value, "host '\(entry.key)'", keys) else {
                scope.hosts[name] = .init(address: "", interface: "eth0", vars: [:])
                continue
            }
            var addresses: [(network: NetworkName, address: String)] = []
            func take(_ tree: Tree, _ network: NetworkName) {
                guard let text = reading.text(tree, "the address of '\(name)'", scope),
                    checkAddress(text, "address", on: network, at: tree.place)
                else { return }
                if let owner = owners[text] {
                    reading.error(
                        tree.place, "address \(text) of host '\(name)' is that of \(owner)")
                    return
                }
                owners[text] = "host '\(name)'"
                addresses.append((network, text))
            }
            if let tree = fields["address"], let first = networks.first {
                take(tree, first.name)
            } else if fields["addresses"] == nil {
                reading.error(
                    entry.place, "host '\(name)' needs 'address'",
                    hint: "address: its address on the first network")
            }
            for further in fields["addresses"].map({ reading.named($0, "'addresses'") }) ?? [] {
                let network = NetworkName(further.key)
                guard networks.contains(where: { $0.name == network }) else {
                    reading.error(
                        further.place, "unknown network '\(further.key)'",
                        hint: NearWord.hint(further.key, networks.map(\.name.rawValue), "networks"))
                    continue
                }
                if addresses.contains(where: { $0.network == network }) {
                    reading.error(
                        further.place, "host '\(name)' has two addresses on network '\(network)'")
                    continue
                }
                take(further.value, network)
            }
            addresses.sort { index(of: $0.network) < index(of: $1.network) }
            if fields["ssh"] != nil {
                _ = fields["ssh"].flatMap { reading.text($0, "'ssh'", scope) }
                reading.capability("hosts.\(name).ssh: ssh hosts come later")
            }
            if let power = fields["power"] { readPower(power, name) }
            let vars = fields["vars"].map { ScenarioLoader.readVars($0, reading) } ?? [:]
            scope.hosts[name] = .init(
                address: addresses.first?.address ?? "", interface: "eth0", vars: vars)
            pending.append((name, addresses, vars))
        }
        if pending.count < 2, let entries = tree.entries, entries.count < 2 {
            reading.error(tree.place, "a system needs two hosts or more")
        }
        hosts = pending.map { Host(name: $0.name, addresses: $0.addresses, vars: $0.vars) }
    }

    private func index(of network: NetworkName) -> Int {
        networks.firstIndex { $0.name == network } ?? 0
    }

    private func readPower(_ tree: Tree, _ host: HostName) {
        let keys = [
            Key("redfish", .text, ""), Key("credentials", .text, ""), Key("command", .open, ""),
            Key("sysrq", .flag, ""),
        ]
        guard let fields = reading.fields(tree, "'power' of host '\(host)'", keys) else { return }
        let ways = ["redfish", "command", "sysrq"].filter { fields[$0] != nil }
        if ways.count != 1 {
            reading.error(tree.place, "'power' needs exactly one of redfish, command and sysrq")
        }
        if let tree = fields["command"] {
            let keys = [
                Key("off", .argv, required: true, ""), Key("on", .argv, required: true, ""),
            ]
            if let command = reading.fields(tree, "'command'", keys) {
                for key in keys {
                    _ = command[key.name].flatMap {
                        reading.argv(
                            $0, "'\(key.name)'", scope.at(host: host, peer: peer(of: host)))
                    }
                }
            }
        }
        if let tree = fields["sysrq"] { _ = reading.flag(tree, "'sysrq'", scope) }
        if let tree = fields["credentials"], let text = reading.text(tree, "'credentials'", scope),
            !text.hasPrefix("env:")
        {
            reading.error(
                tree.place, "'credentials' must name an environment variable",
                hint: "write env:NAME")
        }
        reading.capability("hosts.\(host).power is for ssh hosts, which come later")
    }

    private mutating func readAmong(_ tree: Tree?) {
        guard let list = tree?["among"] else { return }
        for item in list.items ?? [] {
            if let text = item.text, hosts.contains(where: { $0.name.rawValue == text }) {
                among.append(HostName(text))
            }
        }
    }

    /// The other of a pair: of those that play roles, else of those given.
    func peer(of host: HostName, among others: [HostName] = []) -> HostName? {
        let pair = among.contains(host) ? among : others
        guard pair.count == 2, pair.contains(host) else { return nil }
        return pair.first { $0 != host }
    }

    func knownHost(_ text: String, at place: Place) -> HostName? {
        if let host = hosts.first(where: { $0.name.rawValue == text }) { return host.name }
        if scope.hosts[HostName(text)] == nil {
            reading.error(
                place, "unknown host '\(text)'",
                hint: NearWord.hint(text, hosts.map(\.name.rawValue), "hosts"))
        }
        return nil
    }

    func knownHosts(_ tree: Tree, _ what: String) -> [HostName] {
        var found: [HostName] = []
        for item in reading.items(tree, what) {
            guard let text = reading.text(item, "an entry of \(what)", scope),
                let host = knownHost(text, at: item.place)
            else { continue }
            if found.contains(host) {
                reading.error(item.place, "host '\(host)' is there twice")
            } else {
                found.append(host)
            }
        }
        return found
    }

    // MARK: - The rest

    private func readRequires(_ tree: Tree, lab: LabKind) -> [Requirement] {
        reading.items(tree, "'requires'").compactMap { item in
            let keys = Grammar.keys(of: "requires", in: Grammar.system)
            guard let fields = reading.fields(item, "an entry of 'requires'", keys),
                let programTree = fields["program"], let packageTree = fields["package"],
                let program = reading.text(programTree, "'program'", scope),
                let package = reading.text(packageTree, "'package'", scope)
            else { return nil }
            // On other labs the programs are those of other machines.
            if lab == .namespaces, !options.programExists(program) {
                reading.capability(
                    "program '\(program)' is not installed; on Debian: apt-get install \(package)")
            }
            return Requirement(program: program, package_: package)
        }
    }

    private func readLimits(_ tree: Tree) -> Limits {
        var limits = Limits()
        guard
            let fields = reading.fields(
                tree, "'limits'", Grammar.keys(of: "limits", in: Grammar.system))
        else { return limits }
        func take(_ key: String, _ path: WritableKeyPath<Limits, Duration>) {
            guard let tree = fields[key],
                let value = reading.duration(tree, "'\(key)'", scope)
            else { return }
            limits[keyPath: path] = value
        }
        take("ready", \.ready)
        take("boot", \.boot)
        take("steady", \.steady)
        take("verify", \.verify)
        take("timer", \.timer)
        return limits
    }

    private func readPromises(_ tree: Tree) -> Bool {
        let keys = Grammar.keys(of: "promises", in: Grammar.system)
        guard let fields = reading.fields(tree, "'promises'", keys),
            let word = fields["lost_writes"]
        else { return false }
        return reading.word(word, "'lost_writes'", ["none", "some"], scope) == "none"
    }
}
