import DrillCore

/// Why a name has no value here.
struct ScopeError: Error, Hashable, Sendable {
    var message: String
    var hint: String?
}

/// What `{{name}}` stands for at one place: a host's own variables before those of the files.
///
/// Values are kept as written and replaced when asked for, so that a variable may use another one,
/// and one of the system may use those of its hosts.
struct Scope {
    struct HostValues: Sendable {
        var address: String
        var interface: String
        var vars: [String: String]
    }

    /// Names that no variable can have.
    static let reserved = ["address", "dir", "env", "host", "interface", "peer", "vip"]

    /// By name, the last layer that gives one wins: system, scenario, matrix, `--set`.
    var globals: [String: String] = [:]
    var hosts: [HostName: HostValues] = [:]
    var vip: String?
    var environment: [String: String] = [:]
    /// The secrets that were asked for.
    var secrets = Secrets()
    /// Secrets read as `***`.
    var isMasked = false

    var host: HostName?
    var peer: HostName?
    var service: ServiceName?

    func at(host: HostName, peer: HostName?, service: ServiceName? = nil) -> Scope {
        var scope = self
        scope.host = host
        scope.peer = peer
        scope.service = service
        return scope
    }

    func value(of name: String) -> Result<String, ScopeError> {
        value(of: name, within: Path(budget: Budget()))
    }

    /// What is being replaced, so that a circle is seen; and how much of it, since variables of variables
    /// of variables can cost more than any file is long.
    private struct Path {
        var names: [String] = []
        var budget: Budget
    }

    private final class Budget {
        var left = 200
    }

    private func value(of name: String, within path: Path) -> Result<String, ScopeError> {
        guard !name.isEmpty else {
            return .failure(ScopeError(message: "'{{}}' names no variable", hint: nil))
        }
        guard !path.names.contains(name) else {
            let circle = (path.names.drop { $0 != name } + [name]).joined(separator: " -> ")
            return .failure(
                ScopeError(message: "variable '\(name)' is made of itself: \(circle)", hint: nil))
        }
        if let builtIn = builtIn(name) { return builtIn }
        if let text = host.flatMap({ hosts[$0] })?.vars[name] ?? globals[name] {
            return expand(text, name, path)
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if parts.count > 1 { return qualified(parts, name, path) }
        return .failure(unknown(name))
    }

    private func builtIn(_ name: String) -> Result<String, ScopeError>? {
        switch name {
        case "vip":
            return vip.map { .success($0) }
                ?? .failure(
                    ScopeError(
                        message: "no network has a 'vip'",
                        hint: "give one: networks: {main: {subnet: …, vips: [ADDRESS]}}"))
        case "host": return host.map { .success($0.rawValue) } ?? .failure(needsHost(name))
        case "address":
            return host.flatMap { hosts[$0] }.map { .success($0.address) }
                ?? .failure(needsHost(name))
        case "interface":
            return host.flatMap { hosts[$0] }.map { .success($0.interface) }
                ?? .failure(needsHost(name))
        case "dir":
            return service.map { .success("/run/firedrill/\($0)") }
                ?? .failure(
                    ScopeError(
                        message: "'dir' is known only in a service's files, run, prepare and env",
                        hint: nil))
        case _: return nil
        }
    }

    /// `env.NAME`, `peer.NAME`, `HOST.NAME`, `NAME.seconds`.
    private func qualified(
        _ parts: [String], _ name: String, _ path: Path
    ) -> Result<String, ScopeError> {
        let rest = parts.dropFirst().joined(separator: ".")
        if parts[0] == "env" {
            if isMasked { return .success("***") }
            return environment[rest].map { secret in
                secrets.add(secret)
                return .success(secret)
            }
                ?? .failure(
                    ScopeError(
                        message: "the environment has no '\(rest)'",
                        hint: "it is a secret: export \(rest)=… before the command"))
        }
        if parts.last == "seconds" {
            let base = parts.dropLast().joined(separator: ".")
            switch value(of: base, within: path) {
            case .failure(let error): return .failure(error)
            case .success(let text):
                guard case .success(let duration) = Quantity.duration(text) else {
                    return .failure(
                        ScopeError(
                            message:
                                "'\(base)' is \"\(text)\", which is no duration: .seconds needs one such as 100ms",
                            hint: nil))
                }
                return .success(Quantity.seconds(duration))
            }
        }
        if parts[0] == "peer" {
            guard host != nil else { return .failure(needsHost(name)) }
            guard let peer else {
                return .failure(
                    ScopeError(
                        message: "'\(host?.rawValue ?? "")' has no peer here",
                        hint: "a peer is the other of two hosts; name the host: {{HOST.\(rest)}}"))
            }
            return at(host: peer, peer: host, service: service).value(of: rest, within: path)
        }
        let other = HostName(parts[0])
        if hosts[other] != nil {
            return at(host: other, peer: nil).value(of: rest, within: path)
        }
        return .failure(unknown(name))
    }

    private func expand(
        _ text: String, _ name: String, _ path: Path
    ) -> Result<String, ScopeError> {
        guard text.contains("{{") else { return .success(text) }
        path.budget.left -= 1
        guard path.names.count < 8, path.budget.left > 0 else {
            return .failure(
                ScopeError(
                    message: "variable '\(name)' uses variables of variables too deeply", hint: nil)
            )
        }
        var within = path
        within.names.append(name)
        let (value, problems) = Template(text).render { self.value(of: $0, within: within) }
        if let problem = problems.first {
            return .failure(
                ScopeError(
                    message: "\(problem.message) (in the value of '\(name)')", hint: problem.hint))
        }
        guard value.unicodeScalars.count <= 65_536 else {
            return .failure(ScopeError(message: "the value of '\(name)' is too long", hint: nil))
        }
        return .success(value)
    }

    private func needsHost(_ name: String) -> ScopeError {
        let first = hosts.keys.sorted().first?.rawValue ?? "a"
        return ScopeError(
            message: "'\(name)' is known only where a host is",
            hint: "name the host: {{\(first).\(name == "interface" ? name : "address")}}")
    }

    private func unknown(_ name: String) -> ScopeError {
        ScopeError(
            message: "unknown variable '\(name)'",
            hint: NearWord.hint(name, names, "known variables"))
    }

    /// Every name that means something here.
    var names: [String] {
        var names = Set(globals.keys)
        if vip != nil { names.insert("vip") }
        if let host {
            names.formUnion(["address", "host", "interface"])
            names.formUnion(hosts[host]?.vars.keys ?? [:].keys)
            if peer != nil { names.insert("peer.address") }
        }
        if service != nil { names.insert("dir") }
        for name in hosts.keys { names.insert("\(name).address") }
        return names.sorted()
    }

    /// Whether a name's value depends on the host that it is asked for.
    func dependsOnHost(_ name: String) -> Bool {
        let parts = name.split(separator: ".").map(String.init)
        guard let root = parts.first else { return false }
        if ["address", "dir", "host", "interface", "peer"].contains(root) { return true }
        if hosts.values.contains(where: { $0.vars[root] != nil }) { return true }
        guard let text = globals[root], text.contains("{{") else { return false }
        if case .failure = value(of: root) { return true }
        return false
    }

    /// The text with what is the same on every host replaced, and the rest as it was; renders to the same.
    func resolvedForAllHosts(_ text: String) -> String {
        guard text.contains("{{") else { return text }
        var output = ""
        for piece in Template(text).pieces {
            switch piece {
            case .literal(let literal): output += Self.escaped(literal)
            case .name(let name, _):
                if !dependsOnHost(name), case .success(let value) = value(of: name) {
                    output += Self.escaped(value)
                } else {
                    output += "{{\(name)}}"
                }
            }
        }
        return output
    }

    static func escaped(_ text: String) -> String {
        text.split(separator: "{{", omittingEmptySubsequences: false).joined(separator: "{{{{")
    }
}
