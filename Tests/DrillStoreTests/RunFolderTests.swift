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
    #expect(try scratch.folder.history(of: trial).gaps == [])
    for length in [0, 5, bytes.count - 1] {
        try scratch.folder.write(Array(bytes[..<length]), to: "trial-1.ops")
        #expect(
            try scratch.folder.history(of: trial).gaps == ["trial-1.ops is cut off before its end"])
    }
}

@Test func `a CSV file that was made of a file that is cut off does not hide it`() throws {
    let scratch = try Scratch()
    let trial = TrialName(index: 1, attempt: 1)
    let csv = "stream,intended_ns,completed_ns,outcome\nweb/kept/read,1,2,ok\n"
    try scratch.folder.write(Array(csv.utf8), to: "trial-1.ops.csv")
    #expect(try scratch.folder.history(of: trial).gaps == [])
    try scratch.folder.write(Array(operations(at: 1, 2, 3).dropLast()), to: "trial-1.ops")
    let history = try scratch.folder.history(of: trial)
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
    let history = try scratch.folder.history(of: TrialName(index: 1, attempt: 1))
    #expect(history.streams[0].operations.map(\.host) == ["a", "cafe", nil])
    #expect(history.events.count == 2)
}

@Test func `instants that no trial can have are refused`() throws {
    let scratch = try Scratch()
    try scratch.folder.write(operations(at: .min, .max), to: "trial-1.ops")
    #expect(throws: StoreError.self) {
        try scratch.folder.history(of: TrialName(index: 1, attempt: 1))
    }
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
