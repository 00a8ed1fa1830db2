import DrillCore
import DrillReport
import Testing

private let header =
    "stream,kind,key,value,host,intended_ns,dispatched_ns,sent_ns,completed_ns,outcome"

private func parse(_ lines: String...) throws(CSVProblems) -> [OperationStream] {
    try OperationsCSV.parse(Array(lines.joined(separator: "\n").utf8), file: "t.csv")
}

private func problems(_ lines: String...) -> [String] {
    do {
        _ = try OperationsCSV.parse(Array(lines.joined(separator: "\n").utf8), file: "t.csv")
        return []
    } catch {
        return error.messages
    }
}

@Test func `operations come back from their csv as they were`() throws {
    let streams = Synthetic(end: 8, lanes: [.fresh, .kept]).history.streams
    #expect(try OperationsCSV.parse(OperationsCSV.encode(streams), file: "t.csv") == streams)
}

@Test func `hostile keys are quoted and come back`() throws {
    let keys: [String?] = ["a,b", "say \"x\"", "two\nlines", "cr\r\nlf", "", nil, "🔥 שלום", " "]
    let stream = OperationStream(
        name: "web/kept/write",
        operations: keys.enumerated().map { index, key in
            ClientOperation(
                intended: RunInstant(nanoseconds: Int64(index)),
                dispatched: RunInstant(nanoseconds: Int64(index)), sent: nil, completed: nil,
                outcome: .unsentConnection, key: key, value: key)
        })
    #expect(try OperationsCSV.parse(OperationsCSV.encode([stream]), file: "t.csv") == [stream])
}

@Test func `one line is as the format says`() {
    let operation = ClientOperation(
        intended: RunInstant(nanoseconds: 10), dispatched: RunInstant(nanoseconds: 12),
        sent: RunInstant(nanoseconds: 13), completed: RunInstant(nanoseconds: 99), outcome: .ok,
        host: "a")
    let bytes = OperationsCSV.encode([
        OperationStream(name: "web/fresh/read", operations: [operation])
    ])
    #expect(
        String(decoding: bytes, as: UTF8.self) == header
            + "\nweb/fresh/read,read,,,a,10,12,13,99,ok\n")
}

@Test func `columns are found by name, lines may end in CRLF, what is missing has a default`()
    throws
{
    let streams = try parse(
        "\u{FEFF}outcome,note,intended_ns,stream,sent_ns,completed_ns\r",
        "ok,\"x,y\",20,web/fresh/read,21,25\r", "failed,,10,web/fresh/read,11,\r", "")
    let first = try #require(streams.first)
    #expect(first.operations.map(\.intended.nanoseconds) == [10, 20])
    #expect(first.operations.map(\.dispatched.nanoseconds) == [10, 20])
    #expect(first.operations[0].completed == nil)
}

@Test(arguments: [
    (
        "web/fresh/read,read,,,,x,1,1,1,ok",
        "t.csv:2:24: error: 'x' is no whole number of nanoseconds"
    ),
    ("web/fresh/read,read,,,,,1,1,1,ok", "t.csv:2:24: error: the intended instant is missing"),
    (
        "web/fresh,read,,,,1,1,1,1,ok",
        "t.csv:2:1: error: 'web/fresh' is not workload/(fresh|kept)/(read|write)"
    ),
    ("web/fresh/read,write,,,,1,1,1,1,ok", "t.csv:2:16: error: 'write' is not the stream's 'read'"),
    (
        "web/fresh/read,read,é,,,1,1,1,1,good",
        "t.csv:2:33: error: 'good' is none of ok, failed, indeterminate, unsent:connection, unsent:generator"
    ),
    (
        "web/fresh/read,read,,,,1,1,1,,ok",
        "t.csv:2:30: error: an operation that is ok has a completed instant"
    ),
    ("web/fresh/read,read,,,,1,1,5,2,ok", "t.csv:2:30: error: completed before it was sent"),
    (
        "web/fresh/read,read,,,,1,1,5,,unsent:connection",
        "t.csv:2:28: error: an operation that is unsent:connection has no sent instant"
    ),
    ("web/fresh/read,read", "t.csv:2:1: error: 2 fields, the header has 10"),
    ("\"web/fresh/read", "t.csv:2:1: error: the quoted field does not end"),
])
func `a mistake is said with line and column`(line: String, expected: String) {
    #expect(problems(header, line).first == expected)
}

@Test func `all mistakes are said at once`() {
    let line = "web/fresh/read,read,,,,x,1,1,1,bad"
    #expect(problems(header, line, line).count == 4)
    #expect(problems([header] + Array(repeating: line, count: 100)).count == 20)
}

private func problems(_ lines: [String]) -> [String] { problems(lines.joined(separator: "\n")) }

@Test(arguments: [
    ("", "t.csv:1:1: error: column 'stream' is missing; the columns are \(header)"),
    ("stream,stream,intended_ns,outcome", "t.csv:1:8: error: column 'stream' stands here twice"),
])
func `a header is checked`(line: String, expected: String) {
    #expect(problems(line).first == expected)
}

@Test func `events become one flat table`() throws {
    try Golden.expect(
        EventsCSV.encode(Synthetic(splitBrain: true).history.events), is: "events.csv")
}
