import DrillCore
import DrillWorkload
import Glibc
import Synchronization

/// A plan carried out by the real engine, and what it left.
struct LoadTrial: Sendable {
    var summary: LoadSummary
    var streams: [[ClientOperation]]
    var events: [LoadEvent]

    /// A crowded machine may hold a server's thread up: only where the time-out is the point is it short.
    static func stream(
        client: String = "http", _ parameters: [String: String], lane: Lane = .fresh,
        rate: Double = 100, timeout: Duration = .seconds(5), slow: Duration? = nil,
        connections: Int? = nil
    ) -> LoadStream {
        LoadStream(
            name: StreamName(workload: "w", lane: lane, kind: .read), client: client,
            parameters: parameters, lane: lane, kind: .read, rate: rate, arrival: .constant,
            timeout: timeout, slow: slow ?? timeout,
            connections: connections
                ?? Workload.defaultConnections(rate: rate, timeout: timeout),
            stable: .seconds(1), k: 1, leastSent: 20)
    }

    /// Operations are intended for `length`; `meanwhile` is called with the first intended instant.
    static func run(
        _ streams: [LoadStream], for length: Duration,
        meanwhile: @escaping @Sendable (RunInstant) -> Void = { _ in }
    ) async throws -> LoadTrial {
        try await onThread {
            // Tests run side by side in one process.
            DescriptorLimit.raise()
            let path = temporaryPath()
            defer { unlink(path) }
            let events = Mutex<[LoadEvent]>([])
            let run = try LoadRun(LoadPlan(seed: 1, streams: streams, output: path)) { event in
                events.withLock { $0.append(event) }
            }
            var first: RunInstant?
            while first == nil {
                usleep(500)
                // A server may have said who it is before.
                for event in events.withLock({ $0 }) {
                    if case .started(let at) = event { first = at }
                    // It never starts, and says why.
                    if case .failed = event { _ = try run.wait() }
                }
            }
            let started = first ?? .now
            run.stop(at: started + length)
            meanwhile(started)
            let summary = try run.wait()
            let contents = try OperationsFile.decode(readFile(path))
            guard contents.isComplete else { throw LoadTrialError("the file is not whole") }
            return LoadTrial(
                summary: summary, streams: contents.streams.map(\.operations),
                events: events.withLock { $0 })
        }
    }

    /// Of the first stream.
    var operations: [ClientOperation] { streams[0] }

    func count(_ outcome: Outcome) -> Int { operations.count { $0.outcome == outcome } }

    var lastProgress: [StreamProgress] {
        for event in events.reversed() {
            if case .progress(let streams, at: _) = event { return streams }
        }
        return []
    }
}

struct LoadTrialError: Error {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Blocking work gets a thread of its own, not one of the pool's.
func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = JoinableThread { continuation.resume(with: Result { try body() }) }
        if thread == nil { continuation.resume(throwing: LoadTrialError("no thread")) }
    }
}

func temporaryPath() -> String {
    "/tmp/firedrill-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).ops"
}

func readFile(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else { throw LoadTrialError("no file \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return bytes }
        bytes.append(contentsOf: buffer[..<count])
    }
}

func sleep(until instant: RunInstant) {
    let left = instant.nanoseconds - RunInstant.now.nanoseconds
    if left > 0 { usleep(useconds_t(left / 1000)) }
}
