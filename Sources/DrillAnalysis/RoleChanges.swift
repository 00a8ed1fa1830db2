package import DrillCore

/// How often the primary role moved from one host to another.
///
/// It moves to a host that acquires it, and to the one that is left when the holder gives it up. A frozen host that
/// is found to hold it still has acquired nothing.
package enum RoleChanges {
    package static func count(_ claims: [RoleClaim], from: RunInstant?) -> Int {
        enum Change { case gained, lost }
        var changes: [(instant: RunInstant, host: HostName, change: Change)] = []
        for claim in claims {
            changes.append((claim.began.high, claim.host, .gained))
            switch claim.ending {
            case .gaveUp(let interval): changes.append((interval.high, claim.host, .lost))
            case .cut(let t0): changes.append((t0.low, claim.host, .lost))
            case .unwatched(until: let until?, gaveUp: true):
                changes.append((until, claim.host, .lost))
            case .unwatched, .open: break
            }
        }
        let resumed = Set(
            claims.filter { $0.beginning == .resumed }.map { Moment($0.began.high, $0.host) })
        changes.sort {
            if $0.instant != $1.instant { return $0.instant < $1.instant }
            return $0.host < $1.host
        }
        var holding: Set<HostName> = []
        var current: HostName?
        var count = 0
        func move(to host: HostName, at instant: RunInstant) {
            if let current, current != host, from.map({ instant >= $0 }) ?? true { count += 1 }
            current = host
        }
        for (instant, host, change) in changes {
            switch change {
            case .gained:
                holding.insert(host)
                if current == nil || !resumed.contains(Moment(instant, host)) {
                    move(to: host, at: instant)
                }
            case .lost:
                holding.remove(host)
                if current == host, holding.count == 1, let other = holding.first {
                    move(to: other, at: instant)
                }
            }
        }
        return count
    }

    private struct Moment: Hashable {
        var instant: RunInstant
        var host: HostName
        init(_ instant: RunInstant, _ host: HostName) {
            self.instant = instant
            self.host = host
        }
    }

    /// t3: the last acquisition of the role from t0 on and before t5.
    ///
    /// An address event's stamp is an interval: one that began before t5 may be the cause of it, however late the
    /// listener woke.
    package static func lastAcquisition(
        _ claims: [RoleClaim], from t0: RunInstant, before t5: RunInstant
    ) -> RunInstant? {
        claims.filter { $0.beginning == .acquired && $0.began.high >= t0 && $0.began.low < t5 }
            .map(\.began.high).max()
    }
}
