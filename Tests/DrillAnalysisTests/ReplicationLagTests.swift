import DrillAnalysis
import DrillCore
import DrillTesting
import Testing

@Test
func `replication lag is from acknowledged to first seen, the largest before the first fault`()
    throws
{
    var ledger = Ledger(answeredBy: { _ in "a" })
    ledger.extra = [
        // Acknowledged at 1000: seen between 4 and 9 ms later. A second look changes nothing.
        .visible("b", "k100", at: 1_004, to: 1_009), .visible("b", "k100", at: 1_200),
        .visible("b", "k110", at: 1_106, to: 1_107),
        // Seen before its acknowledgement came back: 0.
        .visible("b", "k120", at: 1_190, to: 1_195),
        // Who answered has it at once, and that is no replication.
        .visible("a", "k130", at: 1_400, to: 1_500),
        // From the fault on it is not replication that is measured.
        .visible("b", "k300", at: 3_100), .visible("b", "k310", at: 9_000),
        .visible("b", "unknown", at: 9_000),
    ]
    #expect(try ledger.report.replicationLag == .measured(9, low: 6, high: 9))
    ledger.extra = [.visible("b", "k120", at: 1_190, to: 1_195)]
    #expect(try ledger.report.replicationLag == .measured(0, low: 0, high: 0))
    ledger.extra = [.visible("b", "k300", at: 3_100)]
    #expect(try ledger.report.replicationLag.status == .unknown)
    // One that was never seen: at least as long as it was waited for, however fast the others came.
    ledger.extra = [
        .visible("b", "k110", at: 1_106, to: 1_107),
        .visible("b", "k150", at: 2_700, to: 2_800, present: false),
    ]
    #expect(try ledger.report.replicationLag.status == .censored)
    #expect(try ledger.report.replicationLag.low == 1_200)
    // The fault came in between: until then it took as long, and no more is known.
    ledger.extra[1] = .visible("b", "k290", at: 2_950, to: 3_500, present: false)
    #expect(try ledger.report.replicationLag == .measured(50, low: 50, high: 50))
    ledger.extra = []
    #expect(try ledger.report.replicationLag.status == .notApplicable)
    // In a soak at all times.
    ledger.timeline = []
    ledger.events = [.role("a", true, at: 0)]
    ledger.extra = [.visible("b", "k310", at: 3_140)]
    #expect(try ledger.report.replicationLag == .measured(40, low: 40, high: 40))
}
