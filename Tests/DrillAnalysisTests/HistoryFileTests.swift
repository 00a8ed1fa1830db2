import DrillAnalysis
import DrillCore
import Testing

@Suite struct HistoryFileTests {
    private func history(_ text: String) throws -> RegisterHistory {
        try HistoryFile.read(Array(text.utf8), name: "h")
    }

    private func finding(_ text: String) throws -> ConsistencyFinding {
        ConsistencyFinding.find(try history(text))
    }

    @Test(arguments: [
        "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}\n{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value 1}\n",
        "[{:process 0, :type :invoke, :f :write, :value [:x 1], :index 0}\n #jepsen.history.Op{:process 0, :type :ok, :f :write, :value [:x 1]}\n {:process :nemesis, :type :info, :f :start, :value nil}]",
        "INFO  jepsen.util - 0\t:invoke\t:cas\t[nil 2]\nINFO  jepsen.util - 0\t:ok\t:cas\t[nil 2]\n",
        // Every release of Jepsen says something else before the process.
        "2022-11-11 15:14:13,020{GMT}\tINFO\t[jepsen worker 12] jepsen.util: 12\t:invoke\t:write\t[9 3]\n2022-11-11 15:14:13,024{GMT}\tINFO\t[jepsen worker 12] jepsen.util: 12\t:info\t:write\t[9 3]\tindeterminate: [reset\n2022-11-11 15:14:13,030{GMT}\tINFO\t[jepsen nemesis] jepsen.util: :nemesis\t:info\t:start\t#<Net {\n",
        "INFO [2018-06-07 12:04:05,123] jepsen worker 0 - jepsen.util 0\t:invoke\t:write\tnil\nINFO [2018-06-07 12:04:05,131] jepsen worker 0 - jepsen.util 0\t:ok\t:write\tnil\n",
        // What a partition does.
        "[{:process :nemesis, :type :info, :f :start, :value [:isolated {\"n1\" #{\"n2\" \"n3\" \"n4\"}}]} {:process 0, :type :invoke, :f :write, :value 1}]",
        "{\"process\": \"nemesis\", \"type\": \"info\", \"f\": \"start\", \"value\": {\"n1\": [\"n2\"], \"all\": true}}\n{\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"value\": null}\n",
        // What is discarded is no operation, wherever it stands.
        "; a history\n#_ [:of \"2018\"] [#_{:process 9, :type :ok, :f :read} {:process 0, #_ #_ :a :b :type :invoke, :f :write, :value #_ 2 1} #_ :end]\n; its end\n",
        "#_ {:process 9, :type :ok, :f :read}\n{:process 0, :type :invoke, :f :write, :value ##NaN}\n",
        "{\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"key\": \"x\", \"value\": 1}\n{\"process\": 0, \"type\": \"info\", \"f\": \"write\"}\n",
    ])
    func `the forms that people have are read`(text: String) throws {
        #expect(try finding(text).linearizable == true)
    }

    @Test func `keys are judged apart, and a failed operation is left out`() throws {
        let text = """
            {:process 0, :type :invoke, :f :write, :value [a 1]}
            {:process 0, :type :ok, :f :write, :value [a 1]}
            {:process 0, :type :invoke, :f :cas, :value [a [7 8]]}
            {:process 0, :type :fail, :f :cas, :value [a [7 8]]}
            {:process 0, :type :invoke, :f :read, :value [b nil]}
            {:process 0, :type :ok, :f :read, :value [b nil]}
            """
        let found = try finding(text)
        #expect(found.keys == 2 && found.operations == 2 && found.linearizable == true)
        let bad = try finding(
            text.replacing(":ok, :f :read, :value [b nil]", with: ":ok, :f :read, :value [b 1]"))
        #expect(bad.linearizable == false && bad.window?.operations.count == 1)
    }

    @Test(arguments: [
        (
            "{:process 0 :type :ok :f :read}",
            "h:1:1: error: process 0 ends an operation that was not begun"
        ),
        ("\n{:process 0 :type", "h:2:1: error: is not closed"),
        (
            "  garbage",
            "h:1:3: error: is no operation: {:process 0, :type :invoke, :f :write, :value 1}"
        ),
        (
            "{:process 0 :type :invoke :f :append :value 1}",
            "h:1:1: error: 'append' is no operation of a register: read, write and cas are"
        ),
        (
            "[{:process 0 :type :invoke :f :read}\n {:process 0 :type :invoke :f :read}]",
            "h:2:2: error: process 0 begins an operation, and its last one has not ended"
        ),
        (
            "{\"process\": 0, \"type\": 7}",
            "h:1:1: error: is no operation: {\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"value\": 1}"
        ),
        ("#", "h:1:1: error: a tag has no name"),
        ("\n[#", "h:2:2: error: a tag has no name"),
        ("#jepsen.history.Op", "h:1:19: error: a value is missing"),
        ("[{:process 0}\n#_", "h:1:2: error: an operation needs 'type' and 'f'"),
        ("[\n#_", "h:2:3: error: a value is missing"),
        ("#_ #_ [", "h:1:7: error: is not closed"),
        (
            "[1 2]",
            "h:1:2: error: is no operation: {:process 0, :type :invoke, :f :write, :value 1}"
        ),
        // Who did it.
        (
            "{:process nil :type :invoke :f :read}",
            "h:1:1: error: a process is a number or a name, not nil"
        ),
        (
            "[{:process [1 2] :type :invoke :f :read}]",
            "h:1:2: error: a process is a number or a name, not [1 2]"
        ),
        ("{\"process\": null, \"type\": \"ok\"}", "h:1:1: error: an operation needs 'process'"),
        (
            "{:process client-1 :type :ok :f :read}",
            "h:1:1: error: process client-1 ends an operation that was not begun"
        ),
        // What follows the vector.
        (
            "[{:process 0 :type :invoke :f :read}]\n ; the next\n [{:process 0 :type :invoke :f :read}]",
            "h:3:2: error: the vector has ended, and something follows: a file holds one history"
        ),
        ("[{:process 0 :type :invoke :f :read})", "h:1:37: error: closes what was not opened"),
        ("[{:process 0 :type :invoke :f :read}", "h:1:37: error: the vector is not closed"),
        // A value that is not there is not nil.
        (
            "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"val\":1}",
            "h:1:1: error: a write needs its value"
        ),
        ("0 :invoke :write", "h:1:1: error: a write needs its value"),
        (
            "0 :invoke :read\n  0 :ok :read",
            "h:2:3: error: the answer of a read needs the value that it saw"
        ),
        ("\n {:process 0 :type :invoke :f :cas :value 3}", "h:2:2: error: a cas needs [old new]"),
        ("{:process 0 :type :invoke :f :cas}", "h:1:1: error: a cas needs [old new]"),
        // A line of a log.
        (
            "INFO - {:process 0 :type :invoke :f :write :value 1}",
            "h:1:1: error: is no operation: {:process 0, :type :invoke, :f :write, :value 1}"
        ),
        (
            ":invoke :write 1",
            "h:1:1: error: is no operation: {:process 0, :type :invoke, :f :write, :value 1}"
        ),
        ("x - 0 :invoke :write (1", "h:1:22: error: is not closed"),
    ])
    func `a mistake is named with its place`(text: String, message: String) {
        #expect(throws: HistoryFileError.self) { try finding(text) }
        do { _ = try finding(text) } catch { #expect("\(error)" == message) }
    }

    @Test func `nesting without end is refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: HistoryFileError.self) { try finding("{:value " + text) }
    }

    @Test func `a window is drawn as on paper`() throws {
        var history = RegisterHistory()
        let key = history.key("x")
        let one = history.value("1")
        let two = history.value("2")
        let operations = [
            RegisterOperation(process: 0, key: key, action: .write(one), invoked: 1, completed: 3),
            RegisterOperation(process: 1, key: key, action: .read(two), invoked: 2, completed: 4),
            RegisterOperation(
                process: 2, key: key, action: .write(two), invoked: 3, completed: nil),
        ]
        #expect(
            WindowPicture.lines(operations, of: history) == [
                "0  ├─write 1─┤", "1    ├─read 2──┤", "2            ├─write 2─…",
            ])
    }

    @Test func `whoever is not the nemesis is a client`() throws {
        for (first, second) in [
            ("\"client-1\"", "\"client-2\""), ("0N", "1N"), ("-1", "-2"), ("a", "0"),
            ("#uuid \"6e3f\"", "#uuid \"6e40\""), ("9223372036854775808", "9223372036854775809"),
        ] {
            let stale = """
                {:process \(first), :type :invoke, :f :write, :value 1}
                {:process \(second), :type :invoke, :f :read}
                {:process \(first), :type :ok, :f :write, :value 1}
                {:process \(second), :type :ok, :f :read, :value 2}
                """
            let history = try history(stale)
            #expect(history.operations.map(\.action) == [.write(0), .read(1)])
            #expect(Set(history.operations.map(\.process)).count == 2)
            #expect(ConsistencyFinding.find(history).linearizable == false)
        }
        let history = try history(
            """
            {"process": 9223372036854775808, "type": "invoke", "f": "write", "value": 1}
            {"process": 9223372036854775809, "type": "invoke", "f": "write", "value": 2}
            {"process": -1, "type": "invoke", "f": "write", "value": 3}
            {"process": 7, "type": "invoke", "f": "write", "value": 4}
            """)
        let names = history.operations.map { history.name(ofProcess: $0.process) }
        #expect(names == ["9223372036854775808", "9223372036854775809", "-1", "7"])
    }

    @Test func `a long vector is read at once`() throws {
        let operations = (0..<50_000).map {
            "{:process 0, :type :\($0.isMultiple(of: 2) ? "invoke" : "ok"), :f :write, :value \($0 / 2)}"
        }
        let start = RunInstant.now
        let history = try history("[" + operations.joined(separator: "\n") + "]")
        #expect(history.operations.count == 25_000)
        #expect(RunInstant.now - start < .seconds(60))
    }

    @Test func `a register may have held something at first`() throws {
        // (model/cas-register 0)
        let text = """
            {:process 0, :type :invoke, :f :read, :value nil}
            {:process 0, :type :ok, :f :read, :value 0}
            {:process 0, :type :invoke, :f :cas, :value [0 3]}
            {:process 0, :type :ok, :f :cas, :value [0 3]}
            """
        var history = try history(text)
        let empty = try #require(ConsistencyFinding.find(history).window)
        #expect(
            WindowPicture.caption(empty, of: history)
                == "No register that starts with nil could show this; if it started with another value, say --initial VALUE:"
        )
        let zero = HistoryFile.value("0", in: &history)
        history.initial = try #require(zero)
        #expect(ConsistencyFinding.find(history).linearizable == true)
        var stale = try self.history(
            text + """

                {:process 1, :type :invoke, :f :read}
                {:process 1, :type :ok, :f :read, :value 0}
                """)
        let staleZero = HistoryFile.value("0", in: &stale)
        stale.initial = try #require(staleZero)
        let found = ConsistencyFinding.find(stale)
        let window = try #require(found.window)
        #expect(found.staleReads == 1)
        #expect(
            WindowPicture.caption(window, of: stale)
                == "No register could show this, whatever it held before:")
    }

    @Test(arguments: [
        ("nil", "nil"), (" \"a b\" ", "a b"), (":a", ":a"), ("[1 2]", "[1 2]"), ("", nil),
        ("1 2", nil),
        ("#", nil), ("1 )", nil),
    ])
    func `a first value is spelled as in a file`(text: String, read: String?) {
        var history = RegisterHistory()
        let value = HistoryFile.value(text, in: &history)
        #expect(value.map { history.text(of: $0) } == read)
    }

    @Test func `what a process does after an unknown end has a row of its own`() throws {
        let history = try history(
            """
            {:process c, :type :invoke, :f :write, :value 1}
            {:process c, :type :info, :f :write, :value 1}
            {:process c, :type :invoke, :f :write, :value 2}
            {:process c, :type :ok, :f :write, :value 2}
            {:process 10, :type :invoke, :f :read, :value nil}
            {:process 10, :type :ok, :f :read, :value 1}
            """)
        #expect(
            WindowPicture.lines(history.operations, of: history) == [
                "10                ├─read 1─┤", " c  ├────────write 1─────────…",
                " c    ├─write 2─┤",
            ])
    }
}
