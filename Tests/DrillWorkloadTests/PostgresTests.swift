#if Postgres
    import DrillCore
    import DrillWorkload
    import Glibc
    import Testing

    @Suite(.serialized) struct PostgresTests {
        @Test func `reads and writes name the start of the server that answers`() async throws {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                try session.prepare()
                try session.prepare()
                let identity = try session.identity()
                #expect(identity.contains("."))
                for lane in [Lane.fresh, .kept] {
                    let link = try DrivenConnection(["conninfo": server.conninfo], lane)
                    for number in 0..<3 {
                        #expect(link.operate() == .ok)
                        #expect(link.answeredBy == identity)
                        let entry = LedgerEntry(prefix: "\(lane):", number: number)
                        #expect(link.operate(entry) == .ok)
                        #expect(link.answeredBy == identity)
                        #expect((link.connection.descriptor >= 0) == (lane == .kept))
                        #expect(try session.read([entry.key, "none"]) == [entry.key: entry.value])
                    }
                    link.connection.close()
                }
                #expect(try session.query(["sql": "SELECT count(*) FROM firedrill_ledger"]) == "6")
            }
        }

        @Test func `keys come back whatever they hold`() async throws {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                try session.prepare()
                let entries = ["a'b:", "a\"b,{}:", "a\\b:", "é ü:", ""].map {
                    LedgerEntry(prefix: $0, number: 7)
                }
                for entry in entries { try session.write(entry) }
                let found = try session.read(entries.map(\.key))
                #expect(
                    found == Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) }))
                #expect(try session.read([]) == [:])
                #expect(throws: SessionError.self) { try session.write(entries[0]) }
                #expect(try session.read([entries[0].key]).count == 1)
            }
        }

        @Test func `what says that nothing was done is refused, and the rest is broken`()
            async throws
        {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                let base = server.conninfo
                let entry = LedgerEntry(prefix: "x:", number: 1)
                let cases: [(String, ClientAnswer)] = [
                    // 42P01: no table yet; 3D000; 28000: no such user
                    (base, .refused), (base + " dbname=none", .refused),
                    (base + " user=nobody", .refused),
                    (base + " options='-c default_transaction_read_only=on'", .refused),
                ]
                for (conninfo, answer) in cases {
                    let link = try DrivenConnection(["conninfo": conninfo])
                    #expect(link.operate(entry) == answer, "\(conninfo)")
                    link.connection.close()
                }
                try session.prepare()
                let readOnly = try DrivenConnection([
                    "conninfo": base + " options='-c default_transaction_read_only=on'"
                ])
                #expect(readOnly.operate(entry) == .refused)
                #expect(readOnly.connection.descriptor < 0, "another host may be the primary now")

                let link = try DrivenConnection(["conninfo": base])
                #expect(link.operate(entry) == .ok)
                // Somebody wrote our key: it was sent twice.
                #expect(link.operate(entry) == .broken)
                let query = try DrivenConnection(["conninfo": base, "sql": "SELECT 1/0"])
                #expect(query.operate() == .refused)
                #expect(query.operate() == .refused)
                let copy = try DrivenConnection([
                    "conninfo": base, "sql": "COPY pg_class TO STDOUT",
                ])
                #expect(copy.operate() == .broken)
                for each in [link, query, copy] { each.connection.close() }
            }
        }

        @Test func `a session that is ended during a write leaves it open`() async throws {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                try session.prepare()
                let locker = try server.session()
                _ = try? locker.query(["sql": "BEGIN"])
                _ = try? locker.query(["sql": "LOCK TABLE firedrill_ledger"])
                let link = try DrivenConnection(["conninfo": server.conninfo])
                link.begin(LedgerEntry(prefix: "x:", number: 1))
                let waiting = """
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                    WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT%'
                    """
                var ended = 0
                for _ in 0..<100 where ended == 0 {
                    // Its turns go on meanwhile: it connects.
                    link.proceed(20)
                    ended = Int(try session.query(["sql": waiting])) ?? 0
                }
                #expect(ended >= 1)
                #expect(link.answer() == .broken)
            }
        }

        @Test func `an acknowledgement with the warning that no standby has it is none`()
            async throws
        {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                try session.prepare()
                _ = try? session.query([
                    "sql": "ALTER SYSTEM SET synchronous_standby_names = 'none'"
                ])
                _ = try session.query(["sql": "SELECT pg_reload_conf()"])
                let show = ["sql": "SHOW synchronous_standby_names"]
                for _ in 0..<200 where try session.query(show) != "none" { usleep(20_000) }
                let link = try DrivenConnection(["conninfo": server.conninfo])
                let entry = LedgerEntry(prefix: "x:", number: 1)
                link.begin(entry)
                let cancel = """
                    SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'
                    """
                var cancelled = 0
                for _ in 0..<400 where cancelled == 0 {
                    link.proceed(10)
                    cancelled = Int(try session.query(["sql": cancel])) ?? 0
                }
                #expect(cancelled == 1)
                #expect(link.answer() == .broken)
                #expect(try session.read([entry.key]) == [entry.key: entry.value], "it is there")
            }
        }

        @Test func `the next host is tried when one refuses, is silent or is read-only`()
            async throws
        {
            try await onThread {
                let server = try PostgresServer()
                let readOnly = try PostgresServer(["default_transaction_read_only=on"])
                let identity = try server.session().identity()
                _ = try readOnly.session()
                // Its kernel takes the connection; nobody ever answers.
                let silent = ScriptedServer { connection in
                    _ = connection.readRequest()
                    connection.end()
                }
                defer { silent.stop() }
                let refusing = ServerFolder.freePort()
                for first in [silent.port, readOnly.port, refusing] {
                    let conninfo = """
                        postgresql://firedrill@127.0.0.1:\(first),127.0.0.1:\(server.port)/postgres\
                        ?target_session_attrs=read-write
                        """
                    let link = try DrivenConnection(["conninfo": conninfo, "host_timeout": "300ms"])
                    let began = RunInstant.now
                    #expect(link.operate() == .ok, "\(first)")
                    let took = RunInstant.now - began
                    #expect(link.answeredBy == identity)
                    #expect((took >= .milliseconds(300)) == (first == silent.port), "\(took)")
                    let incarnation = link.connection.incarnation
                    #expect(link.operate() == .ok)
                    #expect(link.connection.incarnation == incarnation, "one connection for both")
                    link.connection.close()
                }
                let none = try DrivenConnection([
                    "conninfo":
                        "host=127.0.0.1 port=\(readOnly.port) user=firedrill dbname=postgres target_session_attrs=read-write"
                ])
                #expect(none.operate() == .refused)
            }
        }

        @Test func `giving up never waits`() async throws {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                try session.prepare()
                let link = try DrivenConnection(["conninfo": server.conninfo])
                #expect(link.operate() == .ok)
                let slow = try DrivenConnection([
                    "conninfo": server.conninfo, "sql": "SELECT pg_sleep(30)",
                ])
                for (connection, timeout) in [(slow, 300), (slow, 1)] {
                    let began = RunInstant.now
                    #expect(connection.operate(timeout: .milliseconds(timeout)) == nil)
                    #expect(RunInstant.now - began < .seconds(2))
                    #expect(connection.connection.descriptor < 0)
                }
                let again = try server.session(.milliseconds(300))
                #expect(throws: SessionError("no answer within 300ms")) {
                    try again.query(["sql": "SELECT pg_sleep(30)"])
                }
                #expect(throws: SessionError("the session has ended")) { try again.identity() }
            }
        }

        @Test(arguments: ["N", "SSSS", "E\u{0}\u{0}\u{0}\u{4}", "HTTP/1.1 400 Bad Request\r\n\r\n"])
        func `garbage in place of a server is refused, and nothing was sent`(
            bytes: String
        ) async throws {
            try await onThread {
                let server = ScriptedServer { connection in
                    connection.write(String(repeating: bytes, count: 50))
                    usleep(200_000)
                    connection.end()
                }
                defer { server.stop() }
                let link = try DrivenConnection([
                    "conninfo": "host=127.0.0.1 port=\(server.port) user=x dbname=x"
                ])
                #expect(link.operate(LedgerEntry(prefix: "x:", number: 1)) == .refused)
                #expect(link.connection.descriptor < 0)
            }
        }

        @Test func `an idle connection lives through a notification and notices its end`()
            async throws
        {
            try await onThread {
                let server = try PostgresServer()
                let session = try server.session()
                let link = try DrivenConnection([
                    "conninfo": server.conninfo, "sql": "LISTEN news",
                ])
                #expect(link.operate() == .ok)
                let incarnation = link.connection.incarnation
                _ = try? session.query(["sql": "NOTIFY news"])
                #expect(link.wait(20_000))
                link.connection.disturbed()
                #expect(link.operate() == .ok)
                #expect(link.connection.incarnation == incarnation)
                let end = """
                    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query = 'LISTEN news'
                    """
                #expect(try session.query(["sql": end]) == "1")
                #expect(link.wait(20_000))
                link.connection.disturbed()
                #expect(link.connection.descriptor < 0)
                #expect(link.operate() == .ok)
                #expect(link.connection.incarnation != incarnation)
                link.connection.close()
            }
        }

        @Test func `the engine sees an outage of a real server in both lanes`() async throws {
            let server = try await onThread { () throws -> PostgresServer in
                let server = try PostgresServer()
                _ = try server.session()
                return server
            }
            let streams = [Lane.fresh, .kept].map { lane in
                LoadTrial.stream(
                    client: "postgres", ["conninfo": server.conninfo], lane: lane, rate: 50,
                    timeout: .milliseconds(500))
            }
            let trial = try await LoadTrial.run(streams, for: .seconds(3)) { started in
                sleep(until: started + .seconds(1))
                server.fail()
            }
            for operations in trial.streams {
                let started = trial.summary.started
                let before = operations.prefix { $0.intended < started + .milliseconds(900) }
                let after = operations.filter { $0.intended > started + .milliseconds(1600) }
                #expect(before.count >= 44)
                #expect(before.count { $0.outcome == .ok } >= before.count - 2)
                #expect(Set(before.compactMap(\.host)).count == 1)
                #expect(after.count >= 60)
                #expect(after.allSatisfy { $0.outcome == .failed })
            }
        }

        @Test(arguments: [
            ("", "'conninfo' needs a host, such as host=10.77.0.11"),
            (
                "host=db dbname=x",
                "'conninfo': 'db' is not a numeric address: looking a name up could block (hostaddr=ADDRESS may stand beside host=NAME)"
            ),
            (
                "host=/run/postgresql",
                "'conninfo': '/run/postgresql' is not a numeric address: looking a name up could block (hostaddr=ADDRESS may stand beside host=NAME)"
            ),
            ("host=10.0.0.1,10.0.0.2 port=1,2,3", "'conninfo': 2 hosts and 3 ports"),
            ("host=a,b hostaddr=10.0.0.1", "'conninfo': 2 hosts and 1 addresses"),
            ("host=10.0.0.1 port=70000", "'conninfo': '70000' is no port"),
            (
                "service=x host=10.0.0.1",
                "'service' takes the connection from a file of this machine: write it out"
            ),
            ("host=10.0.0.1 colour=red", "'conninfo': invalid connection option \"colour\""),
            (
                "host=10.0.0.1 connect_timeout=soon",
                "'conninfo': connect_timeout must be whole seconds, not 'soon'"
            ),
        ])
        func `a connection string that cannot be is refused with its reason`(
            conninfo: String, text: String
        ) {
            #expect(throws: ClientParameterError(text)) {
                _ = try PostgresClient(parameters: ["conninfo": conninfo], lane: .fresh)
            }
        }

        @Test(arguments: [
            "postgresql://app@10.77.0.11:5432,10.77.0.12:5433/app?target_session_attrs=read-write",
            "host=db1,db2 hostaddr=10.77.0.11,10.77.0.12 sslmode=verify-full",
            "host=fd00::1 connect_timeout=2",
        ])
        func `a connection string that can be is taken`(conninfo: String) throws {
            _ = try PostgresClient(parameters: ["conninfo": conninfo], lane: .fresh)
        }
    }
#endif
