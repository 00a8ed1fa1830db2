import DrillAgent
import DrillCore

/// The machine below the keepers: values that programs set, one journal, one lock, a clock.
///
/// A place holds one change at a time, as a keeper's hands see to. What lasts stays over a reboot.
struct SimulatedMachine {
    static let places = ["v0", "v1", "l0", "l1"]

    /// What a place holds, and what it would hold if there had never been a drill.
    var values: [String: String]
    var shadow: [String: String]
    var entries: [JournalEntry] = []
    /// How many of them are on the disk.
    var synced = 0
    var hasFolder = true
    var epoch = 1
    var boot = 1
    var now = BootInstant(nanoseconds: 0)

    init() {
        values = Dictionary(uniqueKeysWithValues: Self.places.map { ($0, "base") })
        shadow = values
    }

    var bootID: String { "boot \(boot)" }

    static func isLasting(_ place: String) -> Bool { place.hasPrefix("l") }

    static func place(of record: UndoRecord) -> String {
        guard case .lab(.lab(.silence(let host))) = record.change else { return "" }
        return host.rawValue
    }

    static func request(_ place: String, before: String, sets: String) -> AgentMachine.Request {
        let host = HostName(place)
        return AgentMachine.Request(
            change: .lab(.lab(.silence(host))), undo: .lab(.lab(.unsilence(host))),
            before: before, sets: sets, isLasting: isLasting(place))
    }

    mutating func foreignChange(_ place: String, _ number: Int) {
        values[place] = "foreign \(number)"
        shadow[place] = values[place]
    }

    /// Compares and restores.
    mutating func undo(_ record: UndoRecord, blindly: Bool) -> HealVerdict {
        let place = Self.place(of: record)
        if blindly || values[place] == record.sets {
            values[place] = record.before
            return .restored
        }
        return values[place] == record.before ? .notNeeded : .superseded
    }

    mutating func append(_ entry: JournalEntry) { entries.append(entry) }
    mutating func sync() { synced = entries.count }

    /// The journal as whoever takes the lock reads it.
    var contents: JournalContents { JournalContents(entries) }

    mutating func removeFolder() {
        hasFolder = false
        entries = []
        synced = 0
    }

    /// What was not synced is lost from somewhere on.
    mutating func reboot(_ random: inout SeededGenerator) {
        boot += 1
        for place in Self.places where !Self.isLasting(place) {
            values[place] = "base"
            shadow[place] = "base"
        }
        let kept = Int.random(in: min(synced, entries.count)...entries.count, using: &random)
        entries.removeSubrange(kept...)
        synced = kept
    }
}
