import TwinCore

extension SimulatedPair {
    mutating func found(_ violation: DrillViolation) {
        if outcome.violation == nil {
            outcome.violation = violation
            outcome.violatedAt = now
            if traced { note(-1, violation.summary, .violation) }
        }
    }

    mutating func becamePrimary(_ node: Int) {
        outcome.promotions += 1
        if !holds(nodes[node].log) {
            found(nodes[node].log.last < acknowledgedWrites ? .lostWrite : .lostRead)
        }
        // Two records of one number and one epoch could not be told apart.
        let epoch = nodes[node].core.record.epoch
        if epoch <= highestEpoch, plan.hasWitness { found(.epochReused) }
        highestEpoch = max(highestEpoch, epoch)
    }

    /// After each event: who serves. A primary that hands over answers reads, and takes no writes: that is no service.
    mutating func watch() {
        let a = serves(0)
        let b = serves(1)
        if a && takesWrites(0) || b && takesWrites(1) {
            if unservedSince >= 0 {
                outcome.longestGap = max(outcome.longestGap, now - unservedSince)
                unservedSince = -1
            }
        } else if unservedSince < 0, outcome.promotions > 0 {
            unservedSince = now
        }
        if a && b && plan.hasWitness { found(.twoPrimaries) }
    }

    mutating func judgeBounds() {
        waitedInVain()
        outcome.isBounded = plan.isBounded && wasLevelAtFault && outcome.violation == nil
        guard outcome.isBounded else { return }
        if outcome.longestGap > DrillBounds.unserved { found(.unservedTooLong) }
        if outcome.longestWait > DrillBounds.unanswered { found(.unansweredTooLong) }
    }

    /// With everything healed: one primary that takes writes, its standby in sync and on record as such, and the same log
    /// in memory and on disk on both.
    var isRecovered: Bool {
        guard let primary, takesWrites(primary), !serves(1 - primary) else { return false }
        let other = 1 - primary
        let authority = Int(nodes[primary].core.configuration.authority)
        return nodes[other].isUp && nodes[authority].record.inSync
            && nodes[authority].record.epoch == nodes[primary].core.record.epoch
            && nodes[primary].core.isInSync(nodes[primary].local(now))
            && nodes[primary].log == nodes[other].log
            && nodes[primary].core.log == nodes[primary].log
            && nodes[other].core.log == nodes[primary].log && holds(nodes[primary].log)
    }
}
