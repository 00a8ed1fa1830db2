package import DrillCore

/// MariaDB through libmariadb, where it was built in (the trait `MariaDB`).
///
/// MySQL speaks nearly the same, and is not promised: it has no information_schema.global_status, so that nobody knows who
/// answers there, and nothing is read back.
package struct MySQLClient: Client {
    package static let description = ClientDescription(
        name: "mysql",
        summary: "MariaDB through libmariadb; ok is a statement that completes",
        parameters: [
            .init("address", .hostAndPort, summary: "where to connect"),
            .init("user", .text, default: "firedrill", summary: "who asks"),
            .init("password", .text, summary: "the user's"),
            .init("database", .text, summary: "where a ledger's table is"),
            .init("sql", .text, default: "SELECT 1", summary: "what the operation get asks"),
            .init(
                "port", .port,
                summary: "of servers that are asked one by one (else that of address, or 3306)"),
        ],
        operations: [.get, .ledger, .register], alternatives: [["address"]],
        refusals: definiteErrors.sorted().map(String.init), lackingTrait: lackingTrait,
        question: "sql")

    /// The server's numbers of errors that are given in place of a statement, or after it was rolled back as a whole:
    /// nothing of it will ever be seen.
    ///
    /// 1040 and 1203: too many connections. 1044, 1045, 1049, 1142, 1143, 1227: access, and no such database. 1046,
    /// 1054, 1064, 1146: no database chosen, no such column, syntax, no such table. 1047: a Galera node that is not in
    /// the primary component. 1114: the table is full. 1205 and 1213: lock wait and deadlock, rolled back (a statement by
    /// itself is the whole transaction). 1264, 1366, 1406: values that do not fit. 1290, 1792, 1836: read-only.
    ///
    /// Not on the list, and so indeterminate: 1062 of a ledger, since a key of ours that is there already was written (it
    /// was sent twice); 1053, 1317, 1927, 1969 and whatever else ends a statement that may be in its commit; 1180,
    /// the commit itself; all that is the library's own (2000 and above), once the statement was sent.
    static let definiteErrors: Set<UInt32> = [
        1040, 1044, 1045, 1046, 1047, 1049, 1054, 1064, 1114, 1142, 1143, 1146, 1203, 1205, 1213,
        1227, 1264, 1290, 1366, 1406, 1792, 1836,
    ]

    /// Not the primary any more: whoever wants it must look for it anew.
    static let readOnlyErrors: Set<UInt32> = [1290, 1792, 1836]

    #if MariaDB
        private static let lackingTrait: String? = nil
        let target: MySQLTarget
        let lane: Lane
        let sql: String

        package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
            target = try MySQLTarget(parameters)
            self.lane = lane
            sql = parameters["sql", default: "SELECT 1"]
        }

        package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
            MySQLConnection(self, workspace)
        }
    #else
        private static let lackingTrait: String? = "MariaDB"

        package init(parameters: [String: String], lane: Lane) throws(ClientParameterError) {
            throw ClientParameterError(Self.description.lack ?? "")
        }

        package func connection(_ workspace: ClientWorkspace) -> any ClientConnection {
            preconditionFailure("no value of this type is ever made")
        }
    #endif
}

#if MariaDB
    extension MySQLClient: StoreClient {
        package static let readLevel = "autocommit, REPEATABLE READ"

        package func session(
            _ target: SessionTarget, timeout: Duration
        ) throws(SessionError) -> any ClientSession {
            switch target {
            case .endpoint: try MySQLSession(self.target, timeout)
            case .server(let server):
                try MySQLSession(self.target.only(address: server.address), timeout)
            }
        }
    }
#endif
