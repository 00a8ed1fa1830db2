package import DrillCore

/// PostgreSQL through libpq, where it was built in (the trait `Postgres`).
package struct PostgresClient: Client {
    package static let description = ClientDescription(
        name: "postgres", summary: "PostgreSQL through libpq; ok is a statement that completes",
        parameters: [
            .init(
                "conninfo", .conninfo, required: true,
                summary:
                    "libpq's words or URI with numeric hosts, such as \"host=10.77.0.11,10.77.0.12 dbname=app target_session_attrs=read-write\""
            ),
            .init("sql", .text, default: "SELECT 1", summary: "what the operation get asks"),
            .init(
                "host_timeout", .duration,
                summary:
                    "how long one of several hosts may take to connect before the next is tried; else connect_timeout of the conninfo, else 100ms"
            ),
        ],
        operations: [.get, .ledger, .register],
        refusals: (definiteClasses.map { "\($0)xxx" } + definiteStates).sorted(),
        lackingTrait: lackingTrait, question: "sql")

    /// Of an ERROR: nothing of the statement will ever be seen. 40001 and 40P01: serialization failure and deadlock, rolled
    /// back. 57014: cancelled; a cancel while it waits for a standby is a warning and no error. 57P03: not accepting
    /// connections. 0A000: not supported.
    static let definiteStates: Set<String> = ["40001", "40P01", "57014", "57P03", "0A000"]

    /// 22 data, 23 constraints (but not 23505), 25 transaction state (25006: read-only), 28 authorization, 3D and 3F: no
    /// such database or schema, 42 syntax and access, 44 check option, 53 resources (53300: too many connections), 54
    /// limits, 55 not in the state for it, P0 raised by a function.
    static let definiteClasses: Set<String> = [
        "22", "23", "25", "28", "3D", "3F", "42", "44", "53", "54", "55", "P0",
    ]

    /// Why a connection string cannot be used; nil too where this build cannot read one.
    package static func problem(conninfo: String) -> String? {
        #if Postgres
            do throws(ClientParameterError) {
                _ = try PostgresTarget(conninfo: conninfo, hostTimeout: nil)
            } catch {
                return error.description
            }
        #endif
        return nil
    }

    #if Postgres
        private static let lackingTrait: String? = nil
        let target: PostgresTarget
        let lane: Lane
        let sql: PostgresStatement

        package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
            target = try PostgresTarget(
                conninfo: parameters["conninfo", default: ""],
                hostTimeout: parameters["host_timeout"])
            self.lane = lane
            sql = try PostgresStatement(parameters["sql", default: "SELECT 1"])
        }

        package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
            PostgresConnection(self, workspace)
        }
    #else
        private static let lackingTrait: String? = "Postgres"

        package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
            throw ClientParameterError(Self.description.lack ?? "")
        }

        package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
            preconditionFailure("no value of this type is ever made")
        }
    #endif
}

#if Postgres
    extension PostgresClient: StoreClient {
        package static let readLevel = "READ COMMITTED"

        package func session(
            _ target: SessionTarget, timeout: Duration
        ) throws(SessionError) -> any ClientSession {
            switch target {
            case .endpoint: try PostgresSession(self.target, timeout)
            case .server(let server):
                try PostgresSession(self.target.only(address: server.address), timeout)
            }
        }
    }
#endif
