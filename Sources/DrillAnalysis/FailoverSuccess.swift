package import DrillCore

/// Whether the measured steps that ask for a failover got one (docs/MEASUREMENT.md, "Verdicts").
package enum FailoverSuccess {
    /// Nil where no measured step asks: a soak, a link fault, a fault on a host that was not primary. And where all went well
    /// and only nobody knows whether two hosts were primary at once (`TrialReport.isFailoverUnknown`).
    ///
    /// - Parameter lostWrites: how many were lost where the system promises none. What is not known is no success.
    package static func judge(
        steps: [StepRecord], reports: [StepReport], claims: RoleClaims, roles: Roles?,
        splitBrain: SplitBrainReport, lostWrites: Measure?, recovered: [StepID: RunInstant],
        recordEnd: RunInstant
    ) -> Bool? {
        let asked = steps.filter { asks($0, claims: claims, roles: roles) }
        guard !asked.isEmpty else { return nil }
        if roles != nil, splitBrain.seen == true { return false }
        switch lostWrites?.status {
        case .measured: if lostWrites?.value != 0 { return false }
        case .unknown, .censored: return false
        case .notApplicable, nil: break
        }
        let isDone = asked.allSatisfy { record in
            guard let report = reports.first(where: { $0.step == record.id.rawValue }),
                report.rto.status == .measured, record.isProven != false
            else { return false }
            guard let roles else { return true }
            return hasRole(
                record, claims: claims, roles: roles, recovered: recovered[record.id],
                recordEnd: recordEnd)
        }
        return isDone && roles != nil && splitBrain.seen == nil ? nil : isDone
    }

    private static func asks(_ record: StepRecord, claims: RoleClaims, roles: Roles?) -> Bool {
        guard record.step.measured, let t0 = record.t0 else { return false }
        if case .fault(let use) = record.step.action, case .link = use.target { return false }
        guard let roles else { return record.step.action != .switchover }
        if record.role == .primary { return true }
        guard let host = record.host, roles.among.contains(host) else { return false }
        return claims.holders(at: t0.low).contains(host)
    }

    /// The standby at t0 acquired the role and had it when the service was back; where it acquired it later, or there
    /// was no outage, at the end of the step.
    private static func hasRole(
        _ record: StepRecord, claims: RoleClaims, roles: Roles, recovered: RunInstant?,
        recordEnd: RunInstant
    ) -> Bool {
        guard let t0 = record.t0 else { return false }
        let standbys = Set(roles.among).subtracting(record.host.map { [$0] } ?? [])
        let until = record.effectEnd ?? recordEnd
        let acquired = claims.claims.filter { claim in
            standbys.contains(claim.host) && claim.began.high >= t0.low && claim.began.high <= until
        }
        return acquired.contains { claim in
            // What was acquired within an interval that began before the recovery was acquired by then.
            if let recovered, claim.began.low <= recovered {
                return claim.isHeld(at: max(recovered, claim.began.high))
            }
            return record.step.end == .none || claim.isHeld(at: until)
        }
    }
}
