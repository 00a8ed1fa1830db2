internal import DrillCore

/// The netlink messages that a lab sends for an operation, in rtnetlink's own words, for `firedrill plan`.
///
/// The numbers are DrillNetlink's: preference 0xfd1e at egress, 0xfd1f at ingress, since u32 shares its tables
/// between both hooks of a clsact.
enum NetlinkMessages {
    static func of(_ operation: FaultOperation) -> [String] {
        switch operation {
        case .lab(let operation): of(operation)
        case .host: []
        }
    }

    private static func of(_ operation: LabOperation) -> [String] {
        switch operation {
        case .silence(let host):
            [
                "RTM_NEWTFILTER \(port(host)) clsact/egress pref 0xfd1e u32 match 0/0 mirred redirect sink",
                "RTM_NEWTFILTER \(port(host)) clsact/ingress pref 0xfd1f u32 match 0/0 mirred redirect sink",
            ]
        case .unsilence(let host):
            [
                "RTM_DELTFILTER \(port(host)) clsact/egress pref 0xfd1e",
                "RTM_DELTFILTER \(port(host)) clsact/ingress pref 0xfd1f",
            ]
        case .boot(let host):
            ["RTM_NEWLINK eth0 of \(host) IFLA_NET_NS_FD, IFF_UP", "RTM_NEWADDR eth0 of \(host)"]
                + of(.unsilence(host))
        case .carrier(let host, let network, let isUp):
            ["RTM_NEWLINK \(port(host, network)) \(isUp ? "IFF_UP" : "~IFF_UP")"]
        case .attach(let link, let treatment): attach(link, treatment)
        case .detach(let link, let treatment): detach(link, treatment)
        case .flap(let host, let network, _, _):
            [
                "RTM_NEWLINK \(port(host, network)) ~IFF_UP",
                "RTM_NEWLINK \(port(host, network)) IFF_UP",
            ]
        case .unflap(let host, let network):
            ["RTM_NEWLINK \(port(host, network)) IFF_UP"]
        case .kill, .freeze, .thaw: []
        }
    }

    /// The device first and the filter last: what is redirected always has somewhere to go.
    private static func attach(_ link: LinkDirection, _ treatment: LinkTreatment) -> [String] {
        let filter =
            "RTM_NEWTFILTER \(port(link.to, link.network)) clsact/egress pref 0xfd1e u32 \(match(treatment.traffic)) indev \(port(link.from, link.network)) mirred redirect"
        return switch treatment.effect {
        case .sink: ["\(filter) sink"]
        case .impair(let impairment):
            [
                "netem: RTM_NEWLINK laneN kind ifb ifalias firedrill:RUN IFF_UP",
                "netem: RTM_NEWQDISC laneN root netem \(netem(impairment))",
                "emulator: TUNSETIFF laneN, IFF_TAP; RTM_NEWLINK laneN ifalias firedrill:RUN IFF_UP",
                "\(filter) laneN",
            ]
        }
    }

    /// The reverse would be a blackhole.
    private static func detach(_ link: LinkDirection, _ treatment: LinkTreatment) -> [String] {
        let filter = "RTM_DELTFILTER \(port(link.to, link.network)) clsact/egress pref 0xfd1e"
        return switch treatment.effect {
        case .sink: [filter]
        case .impair:
            [filter, "netem: RTM_DELLINK laneN", "emulator: the TAP laneN is closed"]
        }
    }

    private static func match(_ traffic: TrafficSelector) -> String {
        switch traffic {
        case .all: "match 0/0"
        case .tcp(let port): ports(6, port)
        case .udp(let port): ports(17, port)
        case .vrrp: "(2 rules: IPv4, IPv6) match protocol 112"
        }
    }

    /// A rule is a conjunction: source and destination port are two, for either version of IP.
    private static func ports(_ number: Int, _ port: UInt16) -> String {
        "(4 rules: IPv4, IPv6, source, destination) match protocol \(number), port \(port)"
    }

    /// The attributes of TCA_OPTIONS that are not zero; the others are sent as zeros.
    private static func netem(_ impairment: Impairment) -> String {
        var words: [String] = []
        if impairment.delay > .zero {
            words.append("TCA_NETEM_LATENCY64 \(impairment.delay.nanoseconds)")
        }
        if impairment.jitter > .zero {
            words.append("TCA_NETEM_JITTER64 \(impairment.jitter.nanoseconds)")
        }
        if let distribution = impairment.distribution {
            words.append("TCA_NETEM_DELAY_DIST \(distribution.rawValue)")
        }
        switch impairment.loss {
        case .random(let ratio)?: words.append("loss \(EffectText.percent(ratio.ratio))")
        case .gilbertElliott(let p, let r, let h, let k)?:
            words.append(
                "TCA_NETEM_LOSS_GE p \(EffectText.percent(p)) r \(EffectText.percent(r)) h \(EffectText.percent(h)) k1 \(EffectText.percent(1 - k))"
            )
        case nil: break
        }
        if impairment.duplicate.ratio > 0 {
            words.append("duplicate \(EffectText.percent(impairment.duplicate.ratio))")
        }
        if impairment.corrupt.ratio > 0 {
            words.append("TCA_NETEM_CORRUPT \(EffectText.percent(impairment.corrupt.ratio))")
        }
        if let reorder = impairment.reorder {
            words.append(
                "gap \(reorder.gap) TCA_NETEM_REORDER \(EffectText.percent(reorder.ratio.ratio))")
        }
        if let rate = impairment.rate {
            words.append("TCA_NETEM_RATE64 \(rate.bitsPerSecond / 8)")
        }
        if hasCorrelation(impairment) { words.append("TCA_NETEM_CORR") }
        return words.joined(separator: ", ")
    }

    private static func hasCorrelation(_ impairment: Impairment) -> Bool {
        var loss = 0.0
        if case .random(let ratio)? = impairment.loss { loss = ratio.correlation }
        return impairment.jitterCorrelation > 0 || loss > 0 || impairment.duplicate.correlation > 0
    }

    private static func port(_ host: HostName, _ network: NetworkName? = nil) -> String {
        network.map { "port(\(host), \($0))" } ?? "port(\(host))"
    }
}
