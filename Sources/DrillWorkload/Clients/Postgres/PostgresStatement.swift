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

        // A register's statements name their server too, in the first field. Each is a transaction by itself, and at READ
        // COMMITTED an UPDATE that met another looks again at the row that the other left.

        /// The second field: the value; NULL where there is none.
        static let registerRead = PostgresStatement(
            own:
                "SELECT extract(epoch FROM pg_postmaster_start_time()), (SELECT value FROM firedrill_ledger WHERE key = $1)"
        )

        static let registerWrite = PostgresStatement(
            own:
                "INSERT INTO firedrill_ledger (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING extract(epoch FROM pg_postmaster_start_time())"
        )

        /// Key, old and new value. The second field: how many rows were set.
        static let registerCompareAndSet = PostgresStatement(
            own:
                "WITH done AS (UPDATE firedrill_ledger SET value = $3 WHERE key = $1 AND value = $2 RETURNING 1) SELECT extract(epoch FROM pg_postmaster_start_time()), (SELECT count(*) FROM done)"
        )

        /// Key and value, where there is none yet. The second field: how many rows were set.
        static let registerCreate = PostgresStatement(
            own:
                "WITH done AS (INSERT INTO firedrill_ledger (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING 1) SELECT extract(epoch FROM pg_postmaster_start_time()), (SELECT count(*) FROM done)"
        )

        static let createTable = PostgresStatement(
            own:
                "CREATE TABLE IF NOT EXISTS firedrill_ledger (key text PRIMARY KEY, value text NOT NULL)"
        )

        static let read = PostgresStatement(
            own: "SELECT key, value FROM firedrill_ledger WHERE key = ANY ($1::text[])")
    }
#endif
