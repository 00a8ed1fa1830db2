/// A two-host system under test with every variable resolved.
package struct System: Hashable, Sendable {
    package var name: String
    package var title: String
    package var lab: LabKind
    package var requires: [Requirement]
    /// In the file's order.
    package var networks: [Network]
    /// In the file's order.
    package var hosts: [Host]
    /// In the order in which they start (`after` resolved).
    package var services: [Service]
    package var roles: Roles?
    package var redundancy: Probe?
    package var switchover: SwitchoverAction?
    package var noticed: LogPattern?
    package var promisesNoLostWrites: Bool
    package var prediction: Prediction?
    package var limits: Limits

    package init(
        name: String, title: String = "", lab: LabKind = .namespaces, requires: [Requirement] = [],
        networks: [Network] = [], hosts: [Host], services: [Service] = [], roles: Roles? = nil,
        redundancy: Probe? = nil, switchover: SwitchoverAction? = nil, noticed: LogPattern? = nil,
        promisesNoLostWrites: Bool = false, prediction: Prediction? = nil, limits: Limits = Limits()
    ) {
        self.name = name
        self.title = title
        self.lab = lab
        self.requires = requires
        self.networks = networks
        self.hosts = hosts
        self.services = services
        self.roles = roles
        self.redundancy = redundancy
        self.switchover = switchover
        self.noticed = noticed
        self.promisesNoLostWrites = promisesNoLostWrites
        self.prediction = prediction
        self.limits = limits
    }

    package func host(_ name: HostName) -> Host? { hosts.first { $0.name == name } }
    package func service(_ name: ServiceName) -> Service? { services.first { $0.name == name } }
}

package enum LabKind: String, Hashable, Sendable, Codable, CaseIterable { case namespaces, ssh, vm }

package struct Requirement: Hashable, Sendable, Codable {
    package var program: String
    package var package_: String
    package init(program: String, package_: String) {
        self.program = program
        self.package_ = package_
    }
}

package struct Network: Hashable, Sendable, Codable {
    package var name: NetworkName
    /// `10.77.0.0/24`
    package var subnet: String
    package var vips: [String]

    package init(name: NetworkName, subnet: String, vips: [String] = []) {
        self.name = name
        self.subnet = subnet
        self.vips = vips
    }

    /// 24 of `10.77.0.0/24`.
    package var prefixLength: Int { Int(subnet.split(separator: "/").last ?? "") ?? 0 }
}

package struct Host: Hashable, Sendable {
    package var name: HostName
    /// By network, in the networks' order: eth0, eth1, ….
    package var addresses: [(network: NetworkName, address: String)]
    /// What templates see: the system's vars, the host's own, and address, host, dir, vip, peer.*.
    package var vars: [String: String]

    package init(
        name: HostName, addresses: [(network: NetworkName, address: String)],
        vars: [String: String] = [:]
    ) {
        self.name = name
        self.addresses = addresses
        self.vars = vars
    }

    /// The address on the first network.
    package var address: String { addresses.first?.address ?? "" }

    package static func == (left: Host, right: Host) -> Bool {
        left.name == right.name && left.vars == right.vars
            && left.addresses.map(\.network) == right.addresses.map(\.network)
            && left.addresses.map(\.address) == right.addresses.map(\.address)
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A service with what each of its hosts runs, templates rendered.
package struct Service: Hashable, Sendable {
    package var name: ServiceName
    package var hosts: [HostName]
    package var after: [ServiceName]
    package var user: String?
    /// What to start, for each host.
    package var instances: [HostName: ServiceInstance]

    package init(
        name: ServiceName, hosts: [HostName], after: [ServiceName] = [], user: String? = nil,
        instances: [HostName: ServiceInstance] = [:]
    ) {
        self.name = name
        self.hosts = hosts
        self.after = after
        self.user = user
        self.instances = instances
    }
}

/// One service on one host, with every variable replaced.
package struct ServiceInstance: Hashable, Sendable, Codable {
    /// `{{dir}}`, as the host sees it: `/run/firedrill/<service>`; it survives a kill of the host.
    package var directory: String
    /// Contents by path relative to `directory`; written before each start.
    package var files: [String: String]
    /// Run once before each start, to its end; a failure is the start's failure.
    package var prepare: [String]?
    package var run: [String]
    package var environment: [String: String]
    package var user: String?
    package var ready: ReadyCheck?
    /// What it is started with so that a fault can reach it later.
    package var preparations: Set<ServicePreparation> = []

    package init(
        directory: String, files: [String: String] = [:], prepare: [String]? = nil, run: [String],
        environment: [String: String] = [:], user: String? = nil, ready: ReadyCheck? = nil
    ) {
        self.directory = directory
        self.files = files
        self.prepare = prepare
        self.run = run
        self.environment = environment
        self.user = user
        self.ready = ready
    }
}

package enum ServicePreparation: String, Hashable, Sendable, Codable {
    /// Its clock can be set wrong: libfaketime is loaded into it.
    case clock
}

package enum ReadyCheck: Hashable, Sendable, Codable {
    /// A TCP connect to 127.0.0.1 or the host's own address succeeds.
    case tcp(port: Int)
    /// The URL answers 200...399 from inside the host.
    case http(url: String)
    /// The program ends with 0 inside the host.
    case run([String])
    /// One host of the system holds the primary role.
    case rolePrimary
}

package struct Roles: Hashable, Sendable {
    package var among: [HostName]
    /// How long both may hold the address in a clean handover.
    package var handover: Duration
    package var primary: RoleProbe

    package init(among: [HostName], handover: Duration = .milliseconds(20), primary: RoleProbe) {
        self.among = among
        self.handover = handover
        self.primary = primary
    }
}

package enum RoleProbe: Hashable, Sendable {
    /// Primary is who holds this address (rtnetlink address events).
    case holds(address: String)
    /// Primary is where the program prints this text. Commands by host, variables replaced.
    case run([HostName: [String]], equals: String, every: Duration)
    /// Primary is where a client's question, asked over the network, is answered like this.
    case query(client: String, parameters: [String: String], equals: String, every: Duration)

    /// How often hosts are asked; nil where they tell by themselves.
    package var every: Duration? {
        switch self {
        case .holds: nil
        case .run(_, _, let every), .query(_, _, _, let every): every
        }
    }
}

/// A question asked of a host again and again.
package struct Probe: Hashable, Sendable {
    package var host: HostSelector
    package var run: [HostName: [String]]
    package var equals: String
    package var every: Duration

    package init(host: HostSelector, run: [HostName: [String]], equals: String, every: Duration) {
        self.host = host
        self.run = run
        self.equals = equals
        self.every = every
    }
}

package struct SwitchoverAction: Hashable, Sendable {
    package var host: HostSelector
    package var kind: Kind

    package init(host: HostSelector, kind: Kind) {
        self.host = host
        self.kind = kind
    }

    package enum Kind: Hashable, Sendable {
        case run([HostName: [String]])
        case signal(service: ServiceName, name: String)
    }
}

package struct LogPattern: Hashable, Sendable {
    package var service: ServiceName
    /// A plain text that a line of the service's output contains.
    package var text: String
    package init(service: ServiceName, text: String) {
        self.service = service
        self.text = text
    }
}

package struct Limits: Hashable, Sendable, Codable {
    package var ready: Duration
    package var boot: Duration
    package var steady: Duration
    package var verify: Duration
    /// The system's longest timer: steps with `at` are spread over at least this.
    package var timer: Duration

    package init(
        ready: Duration = .seconds(30), boot: Duration = .seconds(10),
        steady: Duration = .seconds(60), verify: Duration = .seconds(30),
        timer: Duration = .zero
    ) {
        self.ready = ready
        self.boot = boot
        self.steady = steady
        self.verify = verify
        self.timer = timer
    }
}
