import DrillCore
import DrillStore
import Glibc
import Testing

/// A run folder in a temporary place, gone at the end.
private final class Scratch {
    let folder: RunFolder

    init() throws {
        var template = Array("/tmp/firedrill-store-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        folder = try RunFolder(new: path + "/run")
    }

    deinit {
        let root = folder.path.dropLast("/run".count)
        for name in [
            "trial-1.ops", "trial-1.ops.csv", "trial-1.events.jsonl", "report.json", "other",
        ] {
            unlink(folder.file(name))
        }
        rmdir(folder.file("logs"))
        rmdir(folder.path)
        rmdir(String(root))
    }
}

private func operations(at instants: Int64...) -> [UInt8] {
    OperationsFile.encode([
        OperationStream(
            name: "web/kept/read",
            operations: instants.map {
                let at = RunInstant(nanoseconds: $0)
                return ClientOperation(
                    intended: at, dispatched: at, sent: at, completed: at, outcome: .ok)
            })
    ])
}

@Test func `a whole operations file has no gap, and one that is cut off says so`() throws {
    let scratch = try Scratch()
    let trial = TrialName(index: 1, attempt: 1)
    let bytes = operations(at: 1, 2, 3)
    try scratch.folder.write(bytes, to: "trial-1.ops")
    #expect(try RunFiles(of: scratch.folder).history(of: trial).gaps == [])
    for length in [0, 5, bytes.count - 1] {
        try scratch.folder.write(Array(bytes[..<length]), to: "trial-1.ops")
        #expect(
            try RunFiles(of: scratch.folder).history(of: trial).gaps == [
                "trial-1.ops is cut off before its end"
            ])
    }
}

@Test func `a CSV file that was made of a file that is cut off does not hide it`() throws {
    let scratch = try Scratch()
    let trial = TrialName(index: 1, attempt: 1)
    let csv = "stream,intended_ns,completed_ns,outcome\nweb/kept/read,1,2,ok\n"
    try scratch.folder.write(Array(csv.utf8), to: "trial-1.ops.csv")
    #expect(try RunFiles(of: scratch.folder).history(of: trial).gaps == [])
    try scratch.folder.write(Array(operations(at: 1, 2, 3).dropLast()), to: "trial-1.ops")
    let history = try RunFiles(of: scratch.folder).history(of: trial)
    #expect(history.gaps == ["trial-1.ops is cut off before its end"])
    #expect(history.streams.map(\.operations.count) == [1])
}

@Test func `a history that is loaded names hosts and not their identities`() throws {
    let scratch = try Scratch()
    let csv = """
        stream,key,host,intended_ns,completed_ns,outcome
        log/fresh/write,k0,f00d,1,2,ok
        log/fresh/write,k1,cafe,3,4,ok
        log/fresh/write,k2,,5,6,indeterminate

        """
    let events = """
        {"event": "identity", "low_ns": 0, "high_ns": 0, "host": "a", "id": "f00d"}
        {"event": "verify", "low_ns": 9, "high_ns": 9, "sweep": 2, "host": "a", "key": "k0", "present": true}

        """
    try scratch.folder.write(Array(csv.utf8), to: "trial-1.ops.csv")
    try scratch.folder.write(Array(events.utf8), to: "trial-1.events.jsonl")
    let history = try RunFiles(of: scratch.folder).history(of: TrialName(index: 1, attempt: 1))
    #expect(history.streams[0].operations.map(\.host) == ["a", "cafe", nil])
    #expect(history.events.count == 2)
}

/// Lines of keys that were read back, in the spelling of a run and in others, and the faults around them.
private let readBack = #"""
    {"event":"steady","high_ns":5,"low_ns":5,"phase":"before"}
    {"event":"verify","high_ns":30,"host":"a","key":"k0","low_ns":20,"present":true,"sweep":2}
    {"event":"verify","high_ns":12,"host":"b","key":"k0","low_ns":11,"present":false,"sweep":2}
    { "event" : "verify", "sweep": 2, "host": "b", "key": "k\u0031", "present": true, "low_ns": -9, "high_ns": 13 }
    {"event":"healed","high_ns":25,"low_ns":24,"step":"kill"}
    {"event":"verify","high_ns":999,"host":"client","key":"k\"1","low_ns":21,"present":true,"sweep":1}
    {"event":"verify","high_ns":26,"host":"b","key":"k2","low_ns":21,"present":true,"sweep":2}\#r
    {"event":"verify","high_ns":27,"host":"b","key":"k3","low_ns":2
    """#

@Test func `a key that was read back is the same in each spelling of its line`() throws {
    let scratch = try Scratch()
    try scratch.folder.write(Array(readBack.utf8), to: "trial-1.events.jsonl")
    let events = try RunFiles(of: scratch.folder).history(of: TrialName(index: 1, attempt: 1))
        .events
    func at(_ low: Int64, _ high: Int64) -> InstantInterval {
        InstantInterval(
            low: RunInstant(nanoseconds: low), high: RunInstant(nanoseconds: high))
    }
    #expect(
        events == [
            HistoryEvent(at(-9, 13), .verify(sweep: 2, host: "b", key: "k1", present: true)),
            HistoryEvent(at(5, 5), .steady(phase: .before)),
            HistoryEvent(at(11, 12), .verify(sweep: 2, host: "b", key: "k0", present: false)),
            HistoryEvent(at(20, 30), .verify(sweep: 2, host: "a", key: "k0", present: true)),
            HistoryEvent(
                at(21, 999), .verify(sweep: 1, host: "client", key: "k\"1", present: true)),
            HistoryEvent(at(21, 26), .verify(sweep: 2, host: "b", key: "k2", present: true)),
            HistoryEvent(at(24, 25), .healed(step: "kill", by: nil, verdict: .restored)),
        ])
}

@Test func `pictures need of what was read back only when it began and ended`() throws {
    let scratch = try Scratch()
    try scratch.folder.write(Array(readBack.utf8), to: "trial-1.events.jsonl")
    let trial = TrialName(index: 1, attempt: 1)
    let all = try RunFiles(of: scratch.folder).history(of: trial).events
    let shown = try RunFiles(of: scratch.folder).history(of: trial, forPictures: true).events
    #expect(shown == [all[0], all[1], all[4], all[6]])
    // Whoever draws an axis asks for these.
    #expect(shown.first == all.first)
    #expect(shown.map(\.interval.high).max() == all.map(\.interval.high).max())
}

@Test(arguments: [
    (
        #"{"event":"verify","high_ns":1,"host":"a","key":"k","low_ns":2,"present":true,"sweep":2}"#,
        "event 'verify' ends before it begins"
    ),
    (
        #"{"event":"verify","high_ns":2,"host":"a","low_ns":2,"present":true,"sweep":2}"#,
        "event 'verify' lacks 'key'"
    ),
    (#"{"event":"verified","high_ns":2,"low_ns":2}"#, "event 'verified' lacks 'verify_facts'"),
])
func `a line that is whole and wrong is named with its place`(line: String, why: String) throws {
    let scratch = try Scratch()
    let good = #"{"event":"end","high_ns":3,"low_ns":3,"reason":"complete"}"#
    try scratch.folder.write(
        Array("\(good)\r\n\n\(line)\n".utf8), to: "trial-1.events.jsonl")
    let place = scratch.folder.file("trial-1.events.jsonl")
    #expect(throws: StoreError("\(place):3:1: error: \(why)")) {
        try RunFiles(of: scratch.folder).history(
            of: TrialName(index: 1, attempt: 1), forPictures: true)
    }
}

@Test func `instants that no trial can have are refused`() throws {
    let scratch = try Scratch()
    try scratch.folder.write(operations(at: .min, .max), to: "trial-1.ops")
    #expect(throws: StoreError.self) {
        try RunFiles(of: scratch.folder).history(of: TrialName(index: 1, attempt: 1))
    }
}

@Test func `a manifest holds the digests that are known and makes the others`() throws {
    let scratch = try Scratch()
    try scratch.folder.write(Array("abc".utf8), to: "trial-1.ops")
    try scratch.folder.write([], to: "report.json")
    let evidence = try RunFiles(of: scratch.folder).evidence()
    #expect(evidence.map(\.file) == ["trial-1.ops"])
    let manifest = try Manifest(of: scratch.folder, run: "r", previous: nil)
    #expect(manifest.files.map(\.file) == ["report.json", "trial-1.ops"])
    #expect(manifest.files[1] == evidence[0])
    #expect(
        try Manifest(of: scratch.folder, run: "r", previous: nil, known: evidence) == manifest)
    // Nothing is made twice.
    let told = [Evidence(file: "trial-1.ops", sha256: "told")]
    let other = try Manifest(of: scratch.folder, run: "r", previous: nil, known: told)
    #expect(other.files == [manifest.files[0], told[0]])
}

@Test func `a run is not found by nothing, nor by any file`() throws {
    let scratch = try Scratch()
    try scratch.folder.write([], to: "other")
    try scratch.folder.write([], to: "report.json")
    let index = RunIndex(root: "/nonexistent")
    #expect(throws: StoreError.self) { try index.find("") }
    #expect(throws: StoreError.self) { try index.find(scratch.folder.file("other")) }
    #expect(try index.find(scratch.folder.file("report.json")) == scratch.folder)
    #expect(try index.find(scratch.folder.path + "/") == scratch.folder)
}

@Test func `a folder without a name is no place for a run`() {
    #expect(throws: StoreError("the run folder's name is empty")) { try RunFolder(new: "") }
}
