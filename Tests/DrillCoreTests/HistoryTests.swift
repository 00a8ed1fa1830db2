import DrillCore
import Testing

private let day: Int64 = 86400 * 1_000_000_000

private func history(_ instants: Int64...) -> History {
    History(
        events: instants.map {
            HistoryEvent(InstantInterval(RunInstant(nanoseconds: $0)), .end(reason: "complete"))
        })
}

@Test(arguments: [
    (history(), true), (history(0, 31 * day), true), (history(0, 31 * day + 1), false),
    (history(.min, .max), false), (history(.max, .max), false), (history(.min), false),
    (history(-day, day), true),
])
func `instants of a trial lie close together and far from the ends of the clock`(
    _ history: History, _ isPlausible: Bool
) {
    #expect(history.isPlausible == isPlausible)
}

@Test func `every instant of an operation and of a poll counts`() {
    let at = { (ns: Int64) in RunInstant(nanoseconds: ns) }
    let far = at(40 * day)
    let operations = [
        ClientOperation(
            intended: at(0), dispatched: far, sent: nil, completed: nil, outcome: .failed),
        ClientOperation(
            intended: at(0), dispatched: at(0), sent: far, completed: nil, outcome: .ok),
        ClientOperation(
            intended: at(0), dispatched: at(0), sent: nil, completed: far, outcome: .ok),
    ]
    for operation in operations {
        let stream = OperationStream(name: "web/kept/read", operations: [operation])
        #expect(!History(streams: [stream]).isPlausible)
    }
    let poll = HistoryEvent(
        InstantInterval(at(0)),
        .role(.init(host: "a", primary: true, source: .poll, asked: at(0), answered: far)))
    #expect(!History(events: [poll]).isPlausible)
}

@Test(arguments: [
    #"{"event":"end","low_ns":2,"high_ns":1}"#,
    #"{"event":"role","host":"a","primary":true,"low_ns":1,"high_ns":2,"asked":2,"answered":1}"#,
])
func `an event that ends before it begins is refused`(_ line: String) {
    #expect(throws: DecodingError.self) { try JSONLine.decode(HistoryEvent.self, from: line) }
}

@Test(arguments: [("9600h", 9600 * 3600), ("9601h", nil), ("1e9s", nil), ("9000000000s", nil)])
func `no duration is longer than 400 days`(_ text: String, _ seconds: Int64?) {
    #expect(Duration(spelled: text) == seconds.map { .seconds($0) })
}
