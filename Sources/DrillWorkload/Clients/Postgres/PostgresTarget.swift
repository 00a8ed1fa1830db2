#if Postgres
    import CLinux
    import CPostgres
    import DrillCore
    import Glibc

    /// A connection string as users write it, with hosts that nobody needs to look up.
    struct PostgresTarget: Sendable {
        struct Host: Hashable, Sendable {
            /// What a certificate must name; the address where the user gave no name.
            var name: String
            /// Numeric.
            var address: String
            var port: String
        }

        struct Option: Hashable, Sendable {
            var keyword: String
            var value: String
        }

        private(set) var hosts: [Host]
        /// Everything but the hosts.
        private(set) var options: [Option]
        /// For connecting to one of several hosts.
        let hostTimeout: Duration

        /// `hostTimeout` as it was written: `100ms`.
        init(conninfo: String, hostTimeout: String?) throws(ClientParameterError) {
            let given = try Self.parse(conninfo)
            hosts = try Self.hosts(given)
            options = given.filter { !["host", "hostaddr", "port"].contains($0.keyword) }
            if options.contains(where: { $0.keyword == "service" }) {
                throw ClientParameterError(
                    "'service' takes the connection from a file of this machine: write it out")
            }
            // Looking for Kerberos credentials before each connection can block.
            if !options.contains(where: { $0.keyword == "gssencmode" }) {
                options.append(Option(keyword: "gssencmode", value: "disable"))
            }
            let word = hostTimeout.map { ("host_timeout", $0) }
            let seconds = given.first { $0.keyword == "connect_timeout" }
            self.hostTimeout = try Self.duration(word, connectTimeout: seconds?.value)
        }

        /// One server by itself, whatever its role.
        func only(address: String) -> PostgresTarget {
            var copy = self
            let known = hosts.first { $0.address == address }
            copy.hosts = [
                known ?? Host(name: address, address: address, port: hosts.first?.port ?? "5432")
            ]
            copy.options.removeAll { $0.keyword == "target_session_attrs" }
            return copy
        }

        /// Begins to connect to the hosts from `first` on; nil: no memory.
        func start(from first: Int) -> OpaquePointer? {
            let tried = hosts[first...]
            var words = options
            words.append(Option(keyword: "host", value: tried.map(\.name).joined(separator: ",")))
            words.append(
                Option(keyword: "hostaddr", value: tried.map(\.address).joined(separator: ",")))
            words.append(Option(keyword: "port", value: tried.map(\.port).joined(separator: ",")))
            var keywords = words.map { UnsafePointer(strdup($0.keyword)) } + [nil]
            var values = words.map { UnsafePointer(strdup($0.value)) } + [nil]
            defer {
                for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) }
            }
            return PQconnectStartParams(&keywords, &values, 0)
        }

        // MARK: - Reading

        private static func parse(_ conninfo: String) throws(ClientParameterError) -> [Option] {
            var message: UnsafeMutablePointer<CChar>?
            guard let parsed = PQconninfoParse(conninfo, &message) else {
                let reason = message.map { String(cString: $0) } ?? "no memory"
                PQfreemem(message)
                throw ClientParameterError("'conninfo': \(reason.trimmingLineEnd)")
            }
            defer { PQconninfoFree(parsed) }
            var options: [Option] = []
            var next = parsed
            while let keyword = next.pointee.keyword {
                if let value = next.pointee.val {
                    options.append(
                        Option(
                            keyword: String(cString: keyword), value: String(cString: value)))
                }
                next += 1
            }
            return options
        }

        private static func hosts(
            _ options: [Option]
        ) throws(ClientParameterError) -> [Host] {
            func list(_ keyword: String) -> [String] {
                guard let value = options.first(where: { $0.keyword == keyword })?.value else {
                    return []
                }
                return value.split(separator: ",", omittingEmptySubsequences: false).map {
                    String($0)
                }
            }
            let names = list("host")
            let addresses = list("hostaddr").isEmpty ? names : list("hostaddr")
            let ports = list("port")
            guard !addresses.isEmpty else {
                throw ClientParameterError("'conninfo' needs a host, such as host=10.77.0.11")
            }
            guard names.isEmpty || names.count == addresses.count else {
                throw ClientParameterError(
                    "'conninfo': \(names.count) hosts and \(addresses.count) addresses")
            }
            guard ports.count <= 1 || ports.count == addresses.count else {
                throw ClientParameterError(
                    "'conninfo': \(addresses.count) hosts and \(ports.count) ports")
            }
            var hosts: [Host] = []
            for (index, address) in addresses.enumerated() {
                let given = ports.count > 1 ? ports[index] : ports.first ?? ""
                let port = given.isEmpty ? "5432" : given
                guard let number = UInt16(port), number > 0 else {
                    throw ClientParameterError("'conninfo': '\(port)' is no port")
                }
                var endpoint = clinux_endpoint()
                guard clinux_endpoint_parse(address, number, &endpoint) == 0 else {
                    throw ClientParameterError(
                        "'conninfo': '\(address)' is not a numeric address: looking a name up could block (hostaddr=ADDRESS may stand beside host=NAME)"
                    )
                }
                hosts.append(
                    Host(name: names.isEmpty ? address : names[index], address: address, port: port)
                )
            }
            return hosts
        }

        /// libpq's connect_timeout: whole seconds for each host, at least 2, and none at 0 or below.
        private static func duration(
            _ word: (name: String, text: String)?, connectTimeout: String?
        ) throws(ClientParameterError) -> Duration {
            if let word {
                switch Quantity.duration(word.text) {
                case .success(let duration) where duration > .zero: return duration
                case .success, .failure:
                    throw ClientParameterError(
                        "'\(word.name)' must be a duration above 0, such as 100ms, not '\(word.text)'"
                    )
                }
            }
            guard let connectTimeout else { return .milliseconds(100) }
            guard let seconds = Int32(connectTimeout) else {
                throw ClientParameterError(
                    "'conninfo': connect_timeout must be whole seconds, not '\(connectTimeout)'")
            }
            return seconds <= 0 ? .seconds(3600) : .seconds(max(2, Int64(seconds)))
        }
    }

    extension String {
        /// libpq's messages end in a line feed.
        var trimmingLineEnd: String {
            var text = self[...]
            while text.last?.isNewline == true { text.removeLast() }
            return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
        }
    }
#endif
