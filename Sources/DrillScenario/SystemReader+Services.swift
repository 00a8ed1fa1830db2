import DrillCore

extension SystemReader {
    /// In the order in which they start.
    func readServices(_ tree: Tree) -> [Service] {
        let entries = reading.named(tree, "'services'")
        let names = entries.map(\.key)
        var services: [Service] = []
        var waits: [String: [(name: String, place: Place)]] = [:]
        for entry in entries {
            let what = "service '\(entry.key)'"
            reading.checkName(entry.key, "a service's name", at: entry.place)
            guard let fields = reading.fields(entry.value, what, Grammar.service) else { continue }
            let hosts = fields["hosts"].map { knownHosts($0, "'hosts'") } ?? []
            if let list = fields["hosts"], list.items?.isEmpty == true {
                reading.error(list.place, "\(what) runs nowhere: 'hosts' is empty")
            }
            var after: [ServiceName] = []
            for item in fields["after"].map({ reading.items($0, "'after'") }) ?? [] {
                guard let text = reading.text(item, "an entry of 'after'", scope) else { continue }
                guard names.contains(text) else {
                    reading.error(
                        item.place, "unknown service '\(text)'",
                        hint: NearWord.hint(text, names, "services"))
                    continue
                }
                after.append(ServiceName(text))
                waits[entry.key, default: []].append((text, item.place))
            }
            let user = fields["user"].flatMap { reading.text($0, "'user'", scope) }
            checkProgram(fields, what, at: entry.place)
            var service = Service(
                name: ServiceName(entry.key), hosts: hosts, after: after, user: user)
            for host in hosts {
                service.instances[host] = instance(
                    fields, service: service, on: host, user: user)
            }
            services.append(service)
        }
        return ordered(services, waits: waits)
    }

    private func checkProgram(_ fields: Fields, _ what: String, at place: Place) {
        switch (fields["run"], fields["unit"]) {
        case (nil, nil):
            reading.error(
                place, "\(what) needs 'run'", hint: "run: [program, argument, …]")
        case (_?, _?): reading.error(fields.keyPlace("unit"), "\(what) has both 'run' and 'unit'")
        case (_?, nil): break
        case (nil, let unit?):
            if unit.entries != nil {
                let keys = ["start", "stop", "status"].map { Key($0, .argv, required: true, "") }
                if let unit = reading.fields(unit, "'unit'", keys) {
                    for key in keys {
                        _ = unit[key.name].flatMap { reading.argv($0, "'\(key.name)'", scope) }
                    }
                }
            } else {
                _ = reading.text(unit, "'unit'", scope)
            }
            reading.capability("\(what): 'unit' comes later; this version starts services by 'run'")
        }
    }

    private func instance(
        _ fields: Fields, service: Service, on host: HostName, user: String?
    ) -> ServiceInstance {
        let scope = scope.at(
            host: host, peer: peer(of: host, among: service.hosts), service: service.name)
        var instance = ServiceInstance(
            directory: "/run/firedrill/\(service.name)", run: [], user: user)
        instance.run = fields["run"].flatMap { reading.argv($0, "'run'", scope) } ?? []
        instance.prepare = fields["prepare"].flatMap { reading.argv($0, "'prepare'", scope) }
        for entry in fields["env"].map({ reading.named($0, "'env'") }) ?? [] {
            guard let value = reading.text(entry.value, "'\(entry.key)'", scope) else { continue }
            if entry.key.contains("=") || entry.key.isEmpty {
                reading.error(entry.place, "'\(entry.key)' is no name of an environment variable")
            }
            instance.environment[entry.key] = value
        }
        for entry in fields["files"].map({ reading.named($0, "'files'") }) ?? [] {
            checkFileName(entry)
            instance.files[entry.key] = contents(entry, on: host, scope)
        }
        instance.ready = fields["ready"].flatMap { readReady($0, scope) }
        return instance
    }

    private func checkFileName(_ entry: Tree.Entry) {
        let parts = entry.key.split(separator: "/", omittingEmptySubsequences: false)
        if entry.key.hasPrefix("/") || parts.contains("..") || parts.contains("") {
            reading.error(
                entry.place, "'\(entry.key)' is no path inside the service's folder",
                hint: "files are written below {{dir}}: such as conf/nginx.conf")
        }
    }

    /// A template's text for this host, or the text that the file itself gives for it.
    private func contents(_ entry: Tree.Entry, on host: HostName, _ scope: Scope) -> String {
        if let given = entry.value.entries {
            // As a run folder has it: nothing in it is replaced again.
            return given.first { $0.key == host.rawValue }?.value.text ?? ""
        }
        guard let path = reading.text(entry.value, "'\(entry.key)'", scope) else { return "" }
        let full = path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
        switch templates.read(full) {
        case .failure(let problem):
            if options.templatesRequired {
                reading.error(
                    entry.value.place, "template '\(path)' cannot be read: \(problem.message)",
                    hint: "looked for \(full)")
            }
            return ""
        case .success(.failure(let list)):
            reading.add(list.diagnostics)
            return ""
        case .success(.success(let file)):
            reading.add(file)
            let (text, problems) = Template(file.text).render { scope.value(of: $0) }
            for problem in problems {
                reading.error(
                    place(of: problem.offset, in: file), problem.message, hint: problem.hint)
            }
            return text
        }
    }

    private func place(of offset: Int, in file: SourceFile) -> Place {
        var line = 1
        var column = 1
        for scalar in file.text.unicodeScalars.prefix(offset) {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
        return Place(file: file.path, line: line, column: column)
    }

    private func readReady(_ tree: Tree, _ scope: Scope) -> ReadyCheck? {
        guard let fields = reading.fields(tree, "'ready'", Grammar.ready) else { return nil }
        guard fields.entries.count == 1 else {
            reading.error(tree.place, "'ready' needs exactly one of tcp, http, run and role")
            return nil
        }
        if let tree = fields["tcp"] {
            return reading.count(tree, "'tcp'", 1...65_535, scope).map { .tcp(port: $0) }
        }
        if let tree = fields["http"] {
            guard let url = reading.text(tree, "'http'", scope) else { return nil }
            guard HTTPAddress(url) != nil else {
                reading.error(
                    tree.place, "'http' must be a URL with a numeric address, not '\(url)'",
                    hint: "such as http://127.0.0.1:80/")
                return nil
            }
            return .http(url: url)
        }
        if let tree = fields["run"] { return reading.argv(tree, "'run'", scope).map { .run($0) } }
        if let tree = fields["role"] {
            return reading.word(tree, "'role'", ["primary"], scope).map { _ in .rolePrimary }
        }
        return nil
    }

    func checkReadyRole(_ services: [Tree.Entry], hasRoles: Bool) {
        guard !hasRoles else { return }
        for entry in services {
            guard let role = entry.value["ready"]?["role"] else { continue }
            reading.error(
                role.place, "'ready: {role: …}' needs the system's 'roles', and it has none")
        }
    }

    /// Services after those they wait for, else as the file has them.
    private func ordered(
        _ services: [Service], waits: [String: [(name: String, place: Place)]]
    ) -> [Service] {
        var order: [Service] = []
        var left = services
        while !left.isEmpty {
            let free = left.firstIndex { service in
                service.after.allSatisfy { name in !left.contains { $0.name == name } }
            }
            guard let free else {
                reportCycle(left, waits)
                return order + left
            }
            order.append(left.remove(at: free))
        }
        return order
    }

    private func reportCycle(
        _ services: [Service], _ waits: [String: [(name: String, place: Place)]]
    ) {
        guard var name = services.first?.name.rawValue else { return }
        var path: [String] = []
        var place = tree.place
        while !path.contains(name) {
            path.append(name)
            let next = waits[name]?.first { wait in
                services.contains { $0.name.rawValue == wait.name }
            }
            guard let next else { return }
            place = next.place
            name = next.name
        }
        let circle = path.drop { $0 != name } + [name]
        reading.error(
            place, "services wait for each other: \(circle.joined(separator: " -> "))",
            hint: "remove one of these from 'after'")
    }
}

/// `http://10.77.0.10:80/path`: numeric, since a name's look-up can block.
struct HTTPAddress: Hashable, Sendable {
    var address: Address
    var host: String
    var port: Int

    init?(_ url: String) {
        guard url.hasPrefix("http://"), !url.unicodeScalars.contains(where: { $0.value <= 0x20 })
        else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = Address(String(first)) else {
            return nil
        }
        self.address = address
        host = String(first)
        guard parts.count == 2 else {
            port = 80
            return
        }
        guard let port = Quantity.count(String(parts[1])), (1...65_535).contains(port) else {
            return nil
        }
        self.port = port
    }

    /// `10.77.0.10:6379`
    init?(hostAndPort text: String) {
        guard text.contains(":"), !text.contains("/") else { return nil }
        self.init("http://\(text)")
    }
}
