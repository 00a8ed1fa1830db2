package import DrillCore
import Synchronization

/// Reads ledgers back: through the endpoint and from each server, each on a thread of its own.
package final class Verifier: Sendable {
    private let plan: VerifyPlan
    private let client: any StoreClient
    private let report: @Sendable (LoadEvent) -> Void
    private let stop: ThreadStop
    private let readLevel: String
    /// Markers of different sweeps never have the same key.
    private let markers: String
    private let nextMarker = Atomic(0)

    /// Keys of one message.
    private static let most = 1000
    /// How long a server may take to answer one question.
    private static let patience = Duration.seconds(1)
    /// Before the next attempt after a failure, and between two looks for a marker.
    private static let pause = Duration.milliseconds(100)
    private static let look = Duration.milliseconds(20)

    /// `report` is called on several threads; `finished` comes last.
    package init(
        _ plan: VerifyPlan, report: @escaping @Sendable (LoadEvent) -> Void
    ) throws(LoadError) {
        self.plan = plan
        client = try ClientCatalog.store(
            plan.client, plan.parameters, isEndpointNeeded: plan.endpoint != nil)
        readLevel = type(of: client).readLevel
        stop = try ThreadStop()
        markers = "firedrill-marker:\(String(UInt64.random(in: 0 ... .max), radix: 16)):"
        let sending = Mutex(())
        self.report = { event in sending.withLock { _ in report(event) } }
    }

    /// Ends it early; what is not read by then is told as unread.
    package func end() { stop.request() }

    /// Blocks until everything is told: at most one question's time after `plan.until`.
    package func run() throws(LoadError) {
        var threads: [JoinableThread] = []
        defer { for thread in threads { thread.join() } }
        var targets = plan.servers.map { (host: $0.host, target: SessionTarget.server($0)) }
        if let endpoint = plan.endpoint { targets.insert((endpoint, .endpoint), at: 0) }
        for (host, target) in targets {
            guard let thread = JoinableThread({ [self] in verify(host, target) }) else {
                stop.request()
                throw .system(call: "pthread_create", reason: "no thread")
            }
            threads.append(thread)
        }
        for thread in threads { thread.join() }
        threads = []
        report(.finished(longestPoolWait: .zero))
    }

    private var isOver: Bool { stop.isRequested || .now >= plan.until }

    private func verify(_ host: HostName, _ target: SessionTarget) {
        var sweeps = LedgerSweeps(plan.ledgers)
        var identity: String?
        var failure: String?
        while !sweeps.isAgreed, !isOver {
            do throws(SessionError) {
                let sweep = try sweep(sweeps.asked, target)
                if let known = identity, known != sweep.identity {
                    // Another server, or the same one started anew: what the other one had says nothing of it.
                    sweeps = LedgerSweeps(plan.ledgers)
                    identity = nil
                    failure = "its identity changed from \(known) to \(sweep.identity)"
                    continue
                }
                identity = sweep.identity
                sweeps.take(sweep.found, sweep.interval)
                failure = nil
                if !sweeps.isAgreed { stop.wait(LedgerSweeps.pause) }
            } catch {
                failure = error.description
                if error.isFinal { break }
                stop.wait(Self.pause)
            }
        }
        let batches = sweeps.batches(sweep: plan.sweep, host: host, most: Self.most)
        for batch in batches { report(.verified([batch], nil)) }
        let unread =
            sweeps.isAgreed
            ? nil
            : failure
                ?? "\(sweeps.asked.count) keys were missing, and time ended before a second sweep agreed"
        report(
            .verified(
                [],
                VerifyFacts(
                    sweep: plan.sweep, host: host, answeredBy: identity, readLevel: readLevel,
                    sweeps: sweeps.count, failure: unread)))
    }

    private struct Sweep {
        var found: [Bool]
        var identity: String
        var interval: InstantInterval
    }

    /// Reads the places between two markers that were written through the endpoint and seen by this very session.
    private func sweep(
        _ places: [LedgerSweeps.Place], _ target: SessionTarget
    ) throws(SessionError) -> Sweep {
        let session = try client.session(target, timeout: Self.patience)
        defer { session.close() }
        let identity = try session.identity()
        try mark(session, target, identity)
        let low = RunInstant.now
        var found: [Bool] = []
        found.reserveCapacity(places.count)
        var rest = places[...]
        while !rest.isEmpty {
            if isOver {
                throw SessionError("time ended after \(found.count) of \(places.count) keys")
            }
            let part = rest.prefix(min(Self.most, session.keysOfQuestion))
            rest = rest.dropFirst(part.count)
            let entries = part.map {
                LedgerEntry(prefix: plan.ledgers[$0.ledger].prefix, number: $0.number)
            }
            let values = try session.read(entries.map(\.key))
            for entry in entries { found.append(values[entry.key].map(entry.isWhole) ?? false) }
        }
        let interval = InstantInterval(low: low, high: .now)
        try mark(session, target, identity)
        guard try session.identity() == identity else {
            throw SessionError("the server was another one after the sweep")
        }
        return Sweep(found: found, identity: identity, interval: interval)
    }

    /// Writes a marker where clients write, and waits until it is seen by `session`: which is on the side that counts,
    /// then, and has everything that was acknowledged before.
    private func mark(
        _ session: any ClientSession, _ target: SessionTarget, _ identity: String
    ) throws(SessionError) {
        let number = nextMarker.add(1, ordering: .relaxed).newValue
        let marker = LedgerEntry(prefix: markers, number: number)
        let writer = try write(marker)
        if target == .endpoint, writer != identity {
            throw SessionError("the endpoint has moved from \(identity) to \(writer)")
        }
        while true {
            if let value = try session.read([marker.key])[marker.key], marker.isWhole(value) {
                return
            }
            // A primary that does not have what was just acknowledged is none.
            if target == .endpoint { throw SessionError("a marker was not read back") }
            if isOver { throw SessionError("it did not catch up with the endpoint in time") }
            stop.wait(Self.look)
        }
    }

    /// Who took it.
    private func write(_ marker: LedgerEntry) throws(SessionError) -> String {
        let places: [SessionTarget] =
            plan.endpoint != nil ? [.endpoint] : plan.servers.map { .server($0) }
        var reasons: [String] = []
        for place in places {
            do throws(SessionError) {
                let session = try client.session(place, timeout: Self.patience)
                defer { session.close() }
                try session.write(marker)
                return try session.identity()
            } catch {
                reasons.append(error.description)
            }
        }
        throw SessionError("a marker could not be written: \(reasons.joined(separator: "; "))")
    }
}
