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
            return Self.definiteStates.contains(state)
                || Self.definiteClasses.contains(String(state.prefix(2)))
        }

        /// 40001 and 40P01: serialization failure and deadlock, rolled back. 57014: cancelled; a cancel while it waits for
        /// a standby is a warning and no error. 57P03: not accepting connections. 0A000: not supported.
        static let definiteStates: Set<String> = ["40001", "40P01", "57014", "57P03", "0A000"]

        /// 22 data, 23 constraints, 25 transaction state (25006: read-only), 28 authorization, 3D and 3F: no such
        /// database or schema, 42 syntax and access, 44 check option, 53 resources (53300: too many connections), 54
        /// limits, 55 not in the state for it, P0 raised by a function.
        static let definiteClasses: Set<String> = [
            "22", "23", "25", "28", "3D", "3F", "42", "44", "53", "54", "55", "P0",
        ]

        static let readOnly = "25006"
    }
#endif
