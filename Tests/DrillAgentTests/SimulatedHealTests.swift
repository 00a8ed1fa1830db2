import DrillAgent
import DrillCore
import Glibc
import Testing

@Suite struct SimulatedHealTests {
    static let usual = 20_000

    /// FIREDRILL_SIMULATED_HEALS asks for more.
    static var count: Int {
        getenv("FIREDRILL_SIMULATED_HEALS").flatMap { Int(String(cString: $0)) } ?? usual
    }

    @Test func `whatever is struck when, nothing of ours is left and nothing foreign is touched`() {
        var ways: [SimulatedHeal.Way: Int] = [:]
        for seed in 1...max(1, Self.count) {
            let drill = SimulatedHeal.run(seed: UInt64(seed))
            if !drill.violations.isEmpty {
                Issue.record("seed \(seed): \(drill.violations.joined(separator: "; "))")
                return
            }
            for way in drill.ways { ways[way, default: 0] += 1 }
        }
        let counts = SimulatedHeal.Way.allCases.map { "\($0.rawValue) \(ways[$0] ?? 0)" }
        print("\(Self.count) simulated heals, nothing found: \(counts.joined(separator: ", "))")
        if Self.count >= Self.usual {
            #expect(ways.count == SimulatedHeal.Way.allCases.count, "not everywhere: \(counts)")
        }
    }

    @Test(arguments: [
        (SimulatedHeal.Bug.skipsLook, "changed"), (.undoesBlindly, " is "),
        (.performsUnsynced, " is "),
    ])
    func `a planted bug is found`(_ bug: SimulatedHeal.Bug, _ expected: String) {
        let seed = (1...Self.usual).first { seed in
            SimulatedHeal.run(seed: UInt64(seed), bug: bug).violations.contains {
                $0.contains(expected)
            }
        }
        #expect(seed != nil, "\(bug) was not found in \(Self.usual) runs")
    }
}

@Suite struct JournalContentsTests {
    static func record(_ number: Int) -> UndoRecord {
        UndoRecord(
            number: number, epoch: 1, bootID: "boot 1", change: .lab(.lab(.silence("a"))),
            undo: .lab(.lab(.unsilence("a"))), before: "base", sets: "ours", isLasting: false)
    }

    static func text(_ entries: [JournalEntry]) throws -> String {
        try entries.map { try JSONLine.encode($0) + "\n" }.joined()
    }

    @Test func `a line that was cut off is no entry, wherever it was cut`() throws {
        let whole = try Self.text([.begun(Self.record(1)), .applied(1)])
        let torn = try Self.text([.begun(Self.record(2))]).dropLast(2)
        for length in 1...torn.count {
            let contents = JournalContents(text: whole + torn.prefix(length))
            #expect(contents.open == [Self.record(1)])
            #expect(contents.lastNumber == 1)
            #expect(contents.unreadable == 1)
        }
    }

    @Test func `entries after a torn or unknown line count`() throws {
        let first = try Self.text([.begun(Self.record(1)), .begun(Self.record(2))])
        let last = try Self.text([.closed(1, .restored, by: .plan, message: nil)])
        let contents = JournalContents(
            text: first + "{\"begun\":{\n{\"later\":{\"_0\":7}}\n" + last)
        #expect(contents.open == [Self.record(2)])
        #expect(contents.lastNumber == 2)
        #expect(contents.unreadable == 2)
    }

    @Test(arguments: [
        (HealVerdict.restored, true), (.superseded, true), (.notNeeded, true),
        (.restoreFailed, false),
    ])
    func `what could not be restored stays open`(_ verdict: HealVerdict, _ isClosed: Bool) {
        let contents = JournalContents([
            .begun(Self.record(3)), .applied(3),
            .closed(3, verdict, by: .watchdog, message: nil),
        ])
        #expect(contents.open.isEmpty == isClosed)
        #expect(contents.lastNumber == 3)
    }

    @Test func `another boot voids what goes with the kernel, and only that`() {
        var lasting = Self.record(2)
        lasting.isLasting = true
        var sequence = HealSequence([Self.record(1), lasting], bootID: "boot 2", by: .sweep)
        #expect(sequence.next() == .undo(lasting))
        #expect(
            sequence.undone(.restoreFailed, "no")
                == .closed(2, .restoreFailed, by: .sweep, message: "no"))
        #expect(
            sequence.next() == .write(.closed(1, .notNeeded, by: .sweep, message: nil)))
        #expect(sequence.next() == nil)
        #expect(!sequence.isRestored)
    }
}
