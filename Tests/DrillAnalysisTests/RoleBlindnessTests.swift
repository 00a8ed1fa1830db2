import DrillAnalysis
import DrillCore
import Testing

/// What may go unwatched without leaving open whether two hosts were primary at once.
struct RoleBlindnessTests {
    private struct Look {
        var primary: Bool
        var term: Int64?
        var boot = "1"
    }

    /// Every 50 ms from 0 to 8 s; nil: no answer.
    private func polls(_ host: HostName, _ look: (Double) -> Look?) -> [HistoryEvent] {
        stride(from: 0.0, to: 8_000, by: 50).compactMap { at in
            look(at).map { look in
                let asked = RunInstant(nanoseconds: Int64(at * 1e6))
                let answered = asked + .milliseconds(1)
                return HistoryEvent(
                    InstantInterval(low: asked, high: answered),
                    .role(
                        .init(
                            host: host, primary: look.primary, source: .poll,
                            bootID: "\(host)#\(look.boot)", asked: asked, answered: answered,
                            term: look.term)))
            }
        }
    }

    /// `a` is dead from 3 to 6 s.
    private func find(
        _ events: [HistoryEvent]
    ) -> SplitBrainReport {
        func at(_ seconds: Double) -> RunInstant { RunInstant(nanoseconds: Int64(seconds * 1e9)) }
        let dead = RoleExclusion(
            host: "a", state: .dead, from: InstantInterval(at(3)), until: at(6),
            watchedAgain: at(6.05))
        return SplitBrain.find(
            claims: RoleClaims.collect(
                events: events, exclusions: [dead], recordEnd: at(8), every: .milliseconds(50)),
            roles: Roles(
                among: ["a", "b"], primary: .run([:], equals: "", every: .milliseconds(50))),
            exclusions: [dead], events: events, from: nil)
    }

    /// A member that was started anew and says nothing for 1.5 s, beside the leader of its term.
    private func booting(
        first: Int64 = 3, leader: Int64 = 4, last: Int64? = 4, boot: String = "2",
        refusal: Double? = nil, leadsLater: Bool = false,
        _ change: (Double) -> Int64? = { _ in nil }
    ) -> SplitBrainReport {
        find(
            polls("a") { at in
                at < 3_000
                    ? Look(primary: true, term: first)
                    : at > 7_800 && leadsLater
                        ? Look(primary: true, term: leader, boot: boot)
                        : at == refusal
                            ? Look(primary: false, boot: boot)
                            : at < 7_500 ? nil : Look(primary: false, term: last, boot: boot)
            }
                + polls("b") { at in
                    at < 4_000
                        ? Look(primary: false, term: first)
                        : Look(
                            primary: !leadsLater || at < 7_700, term: change(at) ?? leader)
                })
    }

    @Test func `a term that another host leads in is nobody else's`() {
        #expect(booting().seen == false)
        // Nobody saw a leader of term 4, but it was over while this one was dead.
        #expect(booting(leader: 5, last: 5).seen == false)
        // Of term 5, which came later, nobody saw one either: it may have been this one.
        #expect(booting(leader: 6, last: 6) { $0 < 6_500 ? 4 : nil }.seen == nil)
        #expect(booting(last: nil).seen == nil)
        // One that boots refuses at first.
        #expect(booting(refusal: 6_050).seen == false)
        // It led all the time, for all that is known.
        #expect(booting(boot: "1").seen == nil)
        // The leader has seen a later term than the one that was silent: there was an election meanwhile.
        #expect(booting { $0 > 7_000 ? 5 : nil }.seen == nil)
        // It was itself seen to lead in the other's term, which no sound store shows: nothing is excused.
        #expect(booting(leadsLater: true).seen == nil)
        // No term at all has passed: what was started anew does not lead in its old one.
        #expect(booting(first: 4).seen == false)
    }
}
