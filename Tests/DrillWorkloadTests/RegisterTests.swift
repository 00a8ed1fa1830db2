import DrillAnalysis
import DrillCore
import DrillWorkload
import Glibc
import Testing

/// The real engine and real stores.
@Suite(.serialized) struct RegisterTests {
    @Test func `registers of Redis are read, written, compared and set, and the file tells all`()
        async throws
    {
        let redis = try LocalRedis()
        let run = { @Sendable () in
            try await RegisterTrial(
                client: "redis", ["address": redis.address], for: .milliseconds(1000)
            ) { start in
                // What waits meets what waits beside it.
                sleep(until: start + .milliseconds(500))
                redis.signal(SIGSTOP)
                sleep(until: start + .milliseconds(600))
                redis.signal(SIGCONT)
            }
        }
        let trial = try await run()
        trial.expectWellFormed()
        #expect(trial.count(.ok) == 800)
        let identity = try redis.session().identity()
        #expect(trial.operations().allSatisfy { $0.operation.host?.rawValue == identity })
        // Each key is absent until its first write.
        #expect(trial.count(.value(nil)) > 0)
        let seen = Set(trial.operations(.read).compactMap(\.operation.value))
        #expect(seen.count > 50 && seen.isSubset(of: trial.given))
        #expect(trial.count(.written) == 200)
        let set = trial.count(.compared(didSet: true))
        let other = trial.count(.compared(didSet: false))
        #expect(set > 100 && other > 0 && set + other == 200, "\(set) and \(other)")
        let finding = ConsistencyFinding.find(trial.history)
        #expect(finding.linearizable == true && finding.keys == 5)
        #expect(finding.staleReads == 0 && finding.lostUpdates == 0)
        // What is there now is what the last write of the key gave, and no other.
        let session = try redis.session()
        let left = try session.read((0..<5).map { "fd:t:1.1:w:\($0)" })
        #expect(left.count == 5 && Set(left.values).isSubset(of: trial.given))

        // The same seed asks for the same keys in the same order.
        let again = try await run()
        let keys = { (trial: RegisterTrial) in
            trial.trial.streams.map { $0.compactMap(\.key) }
        }
        #expect(keys(again) == keys(trial))
    }

    @Test func `a Redis that became a replica refuses writes and what compares, whatever it holds`()
        async throws
    {
        let redis = try LocalRedis()
        let trial = try await RegisterTrial(
            client: "redis", ["address": redis.address], for: .milliseconds(1000)
        ) { start in
            sleep(until: start + .milliseconds(300))
            _ = try? redis.ask("REPLICAOF 127.0.0.1 1")
        }
        trial.expectWellFormed()
        #expect(trial.count(.indeterminate) == 0)
        let refused = trial.operations(.write).filter { $0.operation.outcome == .failed }
        // A compare-and-set is a script from the first one on that knows what it replaces.
        let scripts = refused.count {
            if case .compareAndSet(_?, _) = $0.text.action { true } else { false }
        }
        #expect(refused.count > 200 && scripts > 80)
        let last = refused.compactMap(\.operation.completed).max() ?? .now
        let first = refused.compactMap(\.operation.completed).min() ?? .now
        #expect(last - first > .milliseconds(500))
        let late = trial.operations(.write).filter { ($0.operation.sent ?? first) > first }
        #expect(late.allSatisfy { $0.operation.outcome == .failed })
    }

    @Test(arguments: [
        ("GET", "$1\r\nx\r\n", [Outcome.ok]), ("GET", "$-1\r\n", [.ok]),
        ("GET", "+OK\r\n", [.failed]), ("GET", ":1\r\n", [.failed]),
        ("GET", "-ERR no\r\n", [.failed]), ("SET", "$-1\r\n", [.indeterminate, .ok]),
        ("SET", ":1\r\n", [.indeterminate, .ok]), ("SET", "-READONLY no\r\n", [.failed]),
        ("SET", "-ERR syntax error\r\n", [.indeterminate]),
    ])
    func `only what answers the question is an answer`(
        word: String, reply: String, outcomes: [Outcome]
    ) async throws {
        let server = RESPServer { words in
            switch words.first {
            case word: reply
            case "GET": "$-1\r\n"
            case "SET": "+OK\r\n"
            case _: RESPServer.greeting(words, runID: "abc")
            }
        }
        let trial = try await RegisterTrial(
            client: "redis", ["address": server.address, "compare_and_set": "ifeq"],
            for: .milliseconds(200))
        server.stop()
        let found = Set(
            trial.operations(word == "GET" ? .read : .write).map(\.operation.outcome))
        #expect(found == Set(outcomes))
        let others = trial.operations(word == "GET" ? .write : .read)
        #expect(others.allSatisfy { $0.operation.outcome == .ok })
    }

    @Test func `what a killed Redis held is in doubt, and its values may be there`() async throws {
        let redis = try LocalRedis()
        let trial = try await RegisterTrial(
            client: "redis", ["address": redis.address], timeout: .milliseconds(300),
            for: .milliseconds(600)
        ) { start in
            sleep(until: start + .milliseconds(300))
            redis.signal(SIGSTOP)
            sleep(until: RunInstant.now + .milliseconds(100))
            redis.signal(SIGKILL)
        }
        trial.expectWellFormed()
        // Some fifty, as far as the machine lets us send in time.
        let doubtful = trial.operations(.write).filter { $0.operation.outcome == .indeterminate }
        #expect(doubtful.count > 10 && doubtful.allSatisfy { $0.operation.value != nil })
        #expect(trial.operations(.read).allSatisfy { $0.operation.outcome != .indeterminate })
        let finding = ConsistencyFinding.find(trial.history)
        #expect(finding.linearizable == true)
    }

    #if Postgres
        @Test func `registers of PostgreSQL are one row each, and linearizable`() async throws {
            let server = try await onThread { try PostgresServer() }
            try await onThread { try server.session().close() }
            let trial = try await RegisterTrial(
                client: "postgres", ["conninfo": server.conninfo], rate: 100,
                for: .milliseconds(1500)
            ) { start in
                sleep(until: start + .milliseconds(500))
                // Writers wait for one another, as rows that are locked make them.
                _ = try? server.session().query([
                    "sql":
                        "DO $$ BEGIN LOCK TABLE firedrill_ledger IN EXCLUSIVE MODE; PERFORM pg_sleep(0.2); END $$"
                ])
            }
            trial.expectWellFormed()
            #expect(trial.count(.ok) == 600)
            #expect(trial.count(.value(nil)) > 0 && trial.count(.written) == 150)
            let set = trial.count(.compared(didSet: true))
            let other = trial.count(.compared(didSet: false))
            #expect(set > 50 && other > 0 && set + other == 150, "\(set) and \(other)")
            let hosts = Set(trial.operations().map(\.operation.host))
            let (identity, rows) = try await onThread {
                let session = try server.session()
                let rows = try session.query(["sql": "SELECT count(*) FROM firedrill_ledger"])
                return (try session.identity(), rows)
            }
            #expect(hosts == [HostName(identity)] && rows == "5")
            let finding = ConsistencyFinding.find(trial.history)
            #expect(finding.linearizable == true && finding.keys == 5)
            #expect(finding.staleReads == 0 && finding.lostUpdates == 0)
        }

        @Test func `a PostgreSQL that takes no writes refuses what compares`() async throws {
            let server = try await onThread { try PostgresServer() }
            try await onThread { try server.session().prepare() }
            let readOnly = server.conninfo + " options='-c default_transaction_read_only=on'"
            try await onThread {
                let read = RegisterRequest(key: "k", action: .read)
                let write = RegisterRequest(key: "k", action: .write("1"))
                let compare = RegisterRequest(key: "k", action: .compareAndSet("0", "2"))
                let create = RegisterRequest(key: "k", action: .compareAndSet(nil, "2"))
                let good = try DrivenConnection(["conninfo": server.conninfo])
                let bad = try DrivenConnection(["conninfo": readOnly])
                #expect(good.operate(read) == .ok)
                #expect(good.connection.registerAnswer == .value(nil))
                for request in [write, compare, create] {
                    #expect(bad.operate(request) == .refused, "\(request)")
                }
                let answers: [(RegisterRequest, RegisterAnswer)] = [
                    (create, .compared(didSet: true)), (create, .compared(didSet: false)),
                    (read, .value("2")), (write, .written), (read, .value("1")),
                    (compare, .compared(didSet: false)),
                    (
                        RegisterRequest(key: "k", action: .compareAndSet("1", "0")),
                        .compared(didSet: true)
                    ), (compare, .compared(didSet: true)), (read, .value("2")),
                ]
                for (request, answer) in answers {
                    #expect(good.operate(request) == .ok)
                    #expect(good.connection.registerAnswer == answer, "\(request)")
                }
                #expect(bad.operate(read) == .ok)
                #expect(bad.connection.registerAnswer == .value("2"))
                good.connection.close()
                bad.connection.close()
            }
        }
    #endif
}
