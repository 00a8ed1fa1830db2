#if Postgres
    import CPostgres

    /// How a server refused a statement.
    struct PostgresFailure: Hashable, Sendable {
        /// Five characters; empty where the failure is libpq's own.
        var state: String
        /// ERROR, FATAL or PANIC, in English whatever the server speaks.
        var severity: String
        var message: String

        init(state: String, severity: String, message: String) {
            self.state = state
            self.severity = severity
            self.message = message
        }

        init(_ result: OpaquePointer?) {
            func field(_ code: Character) -> String {
                let number = Int32(code.asciiValue ?? 0)
                return PQresultErrorField(result, number).map { String(cString: $0) } ?? ""
            }
            // PG_DIAG_SQLSTATE, PG_DIAG_SEVERITY_NONLOCALIZED; characters, which Swift does not import.
            state = field("C")
            severity = field("V")
            message = String(cString: PQresultErrorMessage(result)).trimmingLineEnd
        }

        /// Whether it says that nothing of the statement will ever be seen.
        ///
        /// Only an ERROR does: the session lives on and has rolled back. Once a commit is in the log nothing becomes an
        /// ERROR any more, and a session that ends (FATAL: 57P01, 57P02) may have committed before it ended.
        ///
        /// Not on the list, and so indeterminate: 23505, since a key of ours that is there already was written (by a
        /// proxy that sent it twice); 40003, which says so itself; 08 and 58, XX: connections, disks and bugs that
        /// may lie between server and client or within the commit.
        var isDefinite: Bool {
            guard severity == "ERROR", state.count == 5, state != "23505" else { return false }
            return PostgresClient.definiteStates.contains(state)
                || PostgresClient.definiteClasses.contains(String(state.prefix(2)))
        }

        static let readOnly = "25006"
    }
#endif
