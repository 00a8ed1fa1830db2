import CLinux
import Glibc
import TwinCore

/// What a known-bad node keeps in mind.
struct BadState {
    var writes = 0
    /// Acknowledged and not written.
    var held: [(RecordLog.What, [UInt8], [UInt8])] = []
    var drainAt = Int64.max
    /// Steps down only then.
    var pretendUntil: Int64 = 0
    var staleUntil: Int64 = 0
    /// Records that reads do not see meanwhile.
    var stale = 0..<0
    var promotedAt: Int?
    var becameLevel = false
    /// Lost once.
    var hasLost = false
    /// What was known to be acknowledged when this node was a standby.
    var committed: Int64 = 0

    var nextInstant: Int64 { min(drainAt, pretendUntil == 0 ? .max : pretendUntil) }

    mutating func promoted(_ last: Int, _ now: Int64) {
        promotedAt = last
        becameLevel = false
        hasLost = false
        staleUntil = now
    }
}

extension TwinNode {
    private static let lostMark = Array("\u{0}lost".utf8)

    func afterwards(_ now: Int64) throws {
        guard let badness = options.badness, let promotedAt = bad.promotedAt, promotedAt > 0,
            !bad.hasLost
        else { return }
        switch badness {
        case .staleReads:
            bad.hasLost = true
            bad.staleUntil = now + 5_000_000_000
            bad.stale = max(1, promotedAt - 99)..<promotedAt + 1
        case .loseOnFailback:
            guard bad.becameLevel, core.role == .primary else { return }
            bad.hasLost = true
            // The first ones after the promotion, and no more than can be written within a lease: who loses the role meanwhile
            // loses nothing.
            let last = min(promotedAt + 100, log.last)
            try put(
                try keys(from: promotedAt + 1, through: last, most: .max).map { (.delete, $0, []) })
        case .lose(let count):
            guard core.takesWrites(now) else { return }
            bad.hasLost = true
            // The pair loses once, however often its hosts are promoted: whoever comes next finds the mark. And it loses all
            // of it: where so much is not there yet, a later promotion does.
            guard try log.value(of: Self.lostMark) == nil else { return }
            let lost = try keys(from: 1, through: min(Int(bad.committed), log.last), most: count)
            guard lost.count == count else { return }
            try put(lost.map { (.delete, $0, []) } + [(.set, Self.lostMark, [1])])
        case .ackBeforeWrite, .forget, .dualPrimary, .neverRecover: return
        }
    }

    /// Of the newest records first, each once.
    private func keys(from first: Int, through last: Int, most: Int) throws -> [[UInt8]] {
        var seen: Set<[UInt8]> = []
        var index = last
        while index >= first, seen.count < most {
            if let key = try log.key(of: index), try log.value(of: key) != nil { seen.insert(key) }
            index -= 1
        }
        return Array(seen)
    }

    func badTime(_ now: Int64) throws {
        if now >= bad.drainAt {
            bad.drainAt = .max
            let writes = bad.held
            bad.held = []
            try put(writes)
        }
        if bad.pretendUntil != 0, now >= bad.pretendUntil {
            bad.pretendUntil = 0
            if core.role != .primary { try letGo() }
        }
    }
}
