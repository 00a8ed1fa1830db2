#if Postgres
    import DrillScenario
    import Testing

    @Suite struct PostgresWorkloadTests {
        private static let http = "client: http, url: \"http://{{vip}}/\""

        @Test(arguments: [
            (
                "conninfo: \"host=db1 dbname=x\"",
                "error: 'conninfo': 'db1' is not a numeric address"
            ),
            ("conninfo: \"colour=red\"", "error: 'conninfo': invalid connection option"),
            ("conninfo: \"host=10.77.0.11\", host_timeout: soon", "'host_timeout'"),
            ("sql: SELECT 1", "needs 'conninfo'"),
        ])
        func `a connection string is read before anything starts`(
            words: String, complaint: String
        ) {
            let text = Files.scenario.with(Self.http, "client: postgres, \(words)")
            let complaints = Files(scenario: text).complaints()
            #expect(complaints.contains(complaint), "\(complaints)")
        }

        @Test func `a good one is taken`() throws {
            let words = "client: postgres, conninfo: \"host=10.77.0.11,10.77.0.12 user=x\""
            let text = Files.scenario.with(Self.http, words)
            #expect(Files(scenario: text).complaints() == "")
        }
    }
#endif
