import DrillAnalysis
import DrillCore
import Testing

/// A trial of a register workload, written down operation by operation: instants in milliseconds.
private struct Registers {
    var reads: [ClientOperation] = []
    var writes: [ClientOperation] = []
    var gaps: [String] = []
    var expectations: [DrillCore.Expectation] = []

    static func operation(
        _ sent: Int64, _ completed: Int64?, _ value: String?, _ outcome: Outcome = .ok,
        key: String = "k"
    ) -> ClientOperation {
        let at = { (milliseconds: Int64) in RunInstant(nanoseconds: milliseconds * 1_000_000) }
        return ClientOperation(
            intended: at(sent), dispatched: at(sent), sent: at(sent), completed: completed.map(at),
            outcome: outcome, key: key, value: value, host: "a")
    }

    var report: TrialReport {
        let scenario = Scenario(
            name: "registers",
            workloads: [
                Workload(name: "kv", client: "redis", rate: 100, operation: .register)
            ], timeline: [], expectations: expectations)
        let history = History(
            streams: [
                OperationStream(name: "kv/fresh/read", operations: reads),
                OperationStream(name: "kv/fresh/write", operations: writes),
            ],
            events: [
                HistoryEvent(
                    InstantInterval(RunInstant(nanoseconds: 9_000_000_000)),
                    .end(reason: "complete"))
            ], gaps: gaps)
        return TrialAnalysis.analyze(
            TrialInput(
                scenario: scenario, system: System(name: "pair", hosts: []), history: history,
                index: 1))
    }
}

private func judge(_ registers: Registers, _ condition: DrillCore.Expectation.Condition) -> Verdict?
{
    let report = registers.report
    return ExpectationJudge.judge(
        DrillCore.Expectation(
            metric: "linearizable", condition: condition, text: "", implied: true),
        current: [report], all: [report], planned: 1, failover: nil)?.verdict
}

@Suite struct RegisterTests {
    /// 1 is written; 2 is set in place of 1; what both readers see fits.
    private var good: Registers {
        Registers(
            reads: [
                Registers.operation(0, 1, nil), Registers.operation(12, 13, "1"),
                Registers.operation(25, 26, "2"), Registers.operation(40, 41, nil, .failed),
            ],
            writes: [
                Registers.operation(10, 11, "1"), Registers.operation(20, 21, "1>2"),
                // Found another value, was refused, was never sent, may have happened: none of them disturbs.
                Registers.operation(30, 31, "1!>3"), Registers.operation(32, 33, "4", .failed),
                Registers.operation(34, 36, "5", .indeterminate),
            ])
    }

    @Test func `what one register could show passes`() {
        let found = good.report.consistency
        #expect(found?.linearizable == true)
        #expect(found?.operations == 6)
        #expect(found?.keys == 1)
        #expect(found?.staleReads == 0 && found?.lostUpdates == 0 && found?.window == nil)
        #expect(judge(good, .never) == .pass)
        #expect(good.report.verdict == .pass)
    }

    @Test func `a read of what was overwritten is stale, and the window shows it`() throws {
        var registers = good
        registers.reads.append(Registers.operation(50, 52, "1"))
        let found = try #require(registers.report.consistency)
        #expect(found.linearizable == false)
        #expect(found.staleReads == 1)
        let window = try #require(found.window)
        #expect(window.key == "k")
        #expect(window.operations.last?.action == "read 1")
        #expect(window.operations.last?.invoked == 50)
        #expect(window.operations.last?.completed == 52)
        #expect(window.operations.last?.host == "a")
        #expect(judge(registers, .never) == .fail)
        #expect(judge(registers, .seen) == .pass)
        registers.expectations = [
            DrillCore.Expectation(
                metric: "stale_reads", condition: .threshold(.max, .equal, 0), text: "max == 0")
        ]
        #expect(registers.report.verdict == .fail)
    }

    @Test func `of a long window the contradiction is listed, and a late answer is an answer`()
        throws
    {
        var registers = Registers()
        // 1 is seen at once, so that it is not what the last read may see.
        registers.writes = [
            Registers.operation(5, 5000, "1"), Registers.operation(7, 8, "0"),
        ]
        registers.reads = [Registers.operation(10, 11, "1")]
        for value in 2..<52 as Range<Int64> {
            registers.writes.append(
                Registers.operation(value * 20, value * 20 + 1, "\(value)"))
            registers.reads.append(
                Registers.operation(value * 20 + 5, value * 20 + 6, "\(value)"))
        }
        registers.reads.append(Registers.operation(2000, 2001, "1"))
        let window = try #require(registers.report.consistency?.window)
        #expect(window.operations.count == ConsistencyWindow.mostOperations)
        #expect(window.omitted == 104 - 40)
        #expect(window.operations.first?.action == "write 1")
        // Instants count from the first operation.
        #expect(window.operations.first?.completed == 4995)
        #expect(window.operations.last?.action == "read 1")
        #expect(window.start == nil)
        let other = try #require(
            Registers(
                reads: [Registers.operation(10, 11, "9")],
                writes: [Registers.operation(20, 21, "1")]
            ).report.consistency?.window)
        #expect(other.start == "nil" && other.operations.map(\.action) == ["read 9"])
    }

    @Test func `two updates of one value cannot both be right`() {
        var registers = good
        registers.writes.append(Registers.operation(22, 23, "1>7"))
        let found = registers.report.consistency
        #expect(found?.linearizable == false)
        #expect(found?.lostUpdates == 1)
    }

    @Test func `a write that may have happened may be seen, also late`() {
        var registers = good
        registers.reads.append(Registers.operation(60, 61, "5"))
        #expect(registers.report.consistency?.linearizable == true)
        registers.reads.append(Registers.operation(70, 71, "2"))
        #expect(registers.report.consistency?.linearizable == false)
    }

    @Test func `a refused write that is seen is a violation`() {
        var registers = good
        registers.reads.append(Registers.operation(60, 61, "4"))
        #expect(registers.report.consistency?.linearizable == false)
    }

    @Test func `a record with a gap shows nothing`() {
        var registers = good
        registers.reads.append(Registers.operation(50, 52, "1"))
        registers.gaps = ["trial-1.ops is cut off before its end"]
        let found = registers.report.consistency
        #expect(found?.linearizable == nil && found?.staleReads == nil)
        #expect(found?.reason == "trial-1.ops is cut off before its end")
        #expect(judge(registers, .never) == .inconclusive)
        registers.gaps = []
        registers.writes = []
        #expect(registers.report.consistency?.reason == "there is no operation of kv/fresh/write")
    }

    @Test func `values of the file are read as they are written`() {
        let cases: [(RegisterText, OperationKind, String?)] = [
            (.init(action: .read, answer: .value("7")), .read, "7"),
            (.init(action: .read, answer: .value(nil)), .read, nil),
            (.init(action: .write("7"), answer: .written), .write, "7"),
            (
                .init(action: .compareAndSet("1", "7"), answer: .compared(didSet: true)), .write,
                "1>7"
            ),
            (
                .init(action: .compareAndSet(nil, "7"), answer: .compared(didSet: false)), .write,
                "!>7"
            ),
        ]
        for (value, kind, text) in cases {
            #expect(value.text == text)
            #expect(RegisterText(kind: kind, text: text, isAnswered: true) == value)
        }
        #expect(
            RegisterText(kind: .write, text: ">7", isAnswered: false)
                == RegisterText(action: .compareAndSet(nil, "7"), answer: nil))
    }
}
