package import DrillCore

/// PostgreSQL through libpq, where it was built in (the trait `Postgres`).
package struct PostgresClient: Client {
    package static let description = ClientDescription(
        name: "postgres", summary: "PostgreSQL through libpq; ok is a statement that completes",
        parameters: [
            .init(
                "conninfo", .text, required: true,
                summary:
                    "libpq's words or URI with numeric hosts, such as \"host=10.77.0.11,10.77.0.12 dbname=app target_session_attrs=read-write\""
            ),
            .init("sql", .text, default: "SELECT 1", summary: "what the operation get asks"),
            .init(
                "host_timeout", .text,
                summary:
                    "how long one of several hosts may take to connect before the next is tried; else connect_timeout of the conninfo, else 100ms"
            ),
        ],
        operations: [.get, .ledger], lackingTrait: lackingTrait)

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
