import DrillCore
import Glibc
import Synchronization
import Testing

/// Strikes a real drill at every numbered step, and looks for what is left. `make sweep` does all of it; here is a cut.
@Suite(.serialized) struct CrashSweepTests {
    private struct Case: Sendable {
        var point: Int
        var victims: Victims
    }

    private struct Tally: ~Copyable {
        var facts: [CrashFacts] = []
        var skipped = 0
        var errors: [String] = []
    }

    private final class Results: Sendable {
        let tally = Mutex(Tally())
    }

    /// `FIREDRILL_SWEEP=full` or the number of runs; `FIREDRILL_SWEEP_ONLY=POINT` for one step.
    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// Every so manieth of all pairs, so that each victim set and every region of the run is met.
    private static func cases(_ points: Int) -> [Case] {
        let sets = Victims.all
        var all: [Case] = []
        for point in 1...points {
            for victims in sets { all.append(Case(point: point, victims: victims)) }
        }
        if let only = value("FIREDRILL_SWEEP_ONLY").flatMap({ Int($0) }) {
            return all.filter { $0.point == only }
        }
        if value("FIREDRILL_SWEEP") == "full" { return all }
        let wanted = value("FIREDRILL_SWEEP").flatMap { Int($0) } ?? 20
        guard all.count > wanted else { return all }
        // Coprime to the number of sets, so that all of them come up.
        var step = all.count / wanted
        while (2...sets.count).contains(where: { step % $0 == 0 && sets.count % $0 == 0 }) {
            step += 1
        }
        return stride(from: 0, to: all.count, by: step).map { all[$0] }
    }

    @Test func `whoever is struck at whatever step, nothing is left`() throws {
        let clean = try CrashRun(stoppingAt: 0, on: Machine())
        try clean.finish()
        let names = clean.reached
        try #require(names.count > 25, "\(names)")
        let cases = Self.cases(names.count)
        let results = Results()
        let workers = Self.value("FIREDRILL_SWEEP_WORKERS").flatMap { Int($0) } ?? 4
        onThreads(workers, cases) { _, work in
            do {
                // Until its teardown every run has the same steps, whether its lab stays or goes.
                let name = names[work.point - 1]
                let run = try CrashRun(
                    stoppingAt: work.point, on: Machine(),
                    keepsLab: work.victims.spareTheLab && !name.hasPrefix("build")
                        && !name.hasPrefix("teardown"))
                let facts = try run.strike(work.victims, at: work.point)
                results.tally.withLock {
                    if let facts { $0.facts.append(facts) } else { $0.skipped += 1 }
                }
                if let facts {
                    let wrong = facts.troubles
                    print(
                        "\(facts): exit \(facts.exit)" + wrong.map { "\n    \($0)" }.joined()
                            + (wrong.isEmpty ? "" : "\n" + facts.progress))
                }
            } catch {
                results.tally.withLock {
                    $0.errors.append("step \(work.point): \(work.victims): \(error)")
                }
            }
        }
        let (facts, skipped, errors) = results.tally.withLock { ($0.facts, $0.skipped, $0.errors) }
        let survivors = facts.filter { !$0.remains.isEmpty }
        print(
            "\(names.count) points × \(Victims.all.count) victim sets: \(facts.count) runs, \(survivors.count) survivors (\(skipped) without the step or the victim)"
        )
        #expect(errors == [])
        for fact in facts {
            #expect(fact.troubles == [], "\(fact)")
        }
        #expect(Set(facts.map(\.victims)).count > 9)
    }
}
