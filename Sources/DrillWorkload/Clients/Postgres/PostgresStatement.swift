#if Postgres
    /// A statement's text as C reads it, made once.
    struct PostgresStatement: Sendable {
        let bytes: [CChar]

        init(_ text: String) throws(ClientParameterError) {
            guard !text.utf8.contains(0) else {
                throw ClientParameterError("'sql' holds a zero byte")
            }
            bytes = Array(text.utf8CString)
        }

        /// Text of our own.
        init(own text: StaticString) { bytes = Array(text.description.utf8CString) }

        /// Who answers. A start of a server has an instant of its own, to the microsecond; as a number it does not
        /// depend on the session's time zone and date style.
        static let identity = PostgresStatement(
            own: "SELECT extract(epoch FROM pg_postmaster_start_time())")

        /// The write names its own server: no pool in between can make it another one.
        static let insert = PostgresStatement(
            own:
                "INSERT INTO firedrill_ledger (key, value) VALUES ($1, $2) RETURNING extract(epoch FROM pg_postmaster_start_time())"
        )

        static let createTable = PostgresStatement(
            own:
                "CREATE TABLE IF NOT EXISTS firedrill_ledger (key text PRIMARY KEY, value text NOT NULL)"
        )

        static let read = PostgresStatement(
            own: "SELECT key, value FROM firedrill_ledger WHERE key = ANY ($1::text[])")
    }
#endif
