package import DrillCore

/// What `firedrill init NAME --from SYSTEM` writes: a scenario that is valid for the system, with comments.
package enum Starter {
    /// Whether a scenario may be called so.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first),
            MetricCatalog.named(text) == nil
        else { return false }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
                || byte == 0x2D
        }
    }

    /// - Parameter systemPath: as the new file should name it, relative to the new file.
    package static func scenario(name: String, system: System, systemPath: String) -> String {
        let among = system.roles?.among ?? []
        let hosts = system.hosts.map(\.name.rawValue)
        let target = among.isEmpty ? (hosts.first { $0 != "client" } ?? "a") : "primary"
        let from = system.host("client") == nil ? "\n    from: \(hosts.last ?? "b")" : ""
        let address =
            system.networks.first { !$0.vips.isEmpty } == nil
            ? "{{\(among.first?.rawValue ?? target).address}}" : "{{vip}}"
        let choices = (among.isEmpty ? [] : ["primary", "standby"]) + hosts
        return """
            apiVersion: firedrill/v1
            kind: Scenario
            name: \(name)
            title: A host of \(system.name) loses power
            system: \(quoted(systemPath))

            trials: 3                    # p(95) needs 20

            workloads:
              web:
                client: http             # `firedrill clients` lists them
                url: "http://\(address)/"
                rate: 200/s              # for each lane
                lanes: [fresh, kept]     # a new connection for each operation; one that is kept
                timeout: 250ms\(from)

            # What is normal before anything breaks.
            steady_state: {success_rate: ">= 99.9%", for: 2s}
            stable: {for: 1s}            # how long a stretch must be clean to end an outage

            timeline:                    # `firedrill faults` lists what can break
              - id: kill
                at: 3s
                fault: node.kill
                host: \(target)\(String(repeating: " ", count: max(1, 19 - target.count)))# \(choices.joined(separator: ", "))
                until: {event: stable, plus: 3s, at_most: 60s}

            observe: 10s

            expect:                      # `firedrill metrics` lists what can be judged
              rto.kill: "max <= 10s"
              success_rate.after: "min >= 99%"

            """
    }

    private static func quoted(_ text: String) -> String {
        TreeWriter.inline(text)
    }
}
