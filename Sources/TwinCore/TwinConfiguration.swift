/// How a node is set up. Durations in nanoseconds.
package struct TwinConfiguration: Hashable, Sendable {
    package static let witness: UInt8 = 2

    /// 0 and 1 hold data, 2 is the witness.
    package var node: UInt8
    package var hasWitness: Bool
    /// A write is acknowledged when the standby has it too; or, with the standby gone, once that is on record.
    package var acknowledgesReplicated: Bool
    package var heartbeat: Int64
    /// How long a primary is silent before the standby acts; also how long whoever answered a heartbeat grants nobody
    /// another epoch.
    package var detect: Int64
    /// How long a primary goes on after it *sent* the last heartbeat that was answered. Shorter than `detect`, which
    /// begins later (at the answer): the difference covers clocks of other rates and the time that stepping down takes.
    package var lease: Int64
    /// How long a write waits for the standby before the standby is declared out of sync.
    package var patience: Int64
    /// A known-bad pair: the standby never takes over.
    package var neverPromotes = false
    /// For the simulator alone.
    package var planted: PlantedBug?

    package init(
        node: UInt8, hasWitness: Bool, acknowledgesReplicated: Bool = true,
        heartbeat: Int64 = 10_000_000, detect: Int64? = nil
    ) {
        self.node = node
        self.hasWitness = hasWitness
        self.acknowledgesReplicated = acknowledgesReplicated
        self.heartbeat = heartbeat
        self.detect = detect ?? heartbeat * 7 / 2
        lease = self.detect * 6 / 7
        patience = heartbeat * 10
    }

    package var peer: UInt8 { 1 - node }
    /// Who keeps on record whether the standby may be promoted: the witness, else the standby itself.
    package var authority: UInt8 { hasWitness ? Self.witness : peer }
}

/// What a node must find again after a crash.
package struct TwinRecord: Hashable, Sendable {
    /// The highest that was granted, used or heard of.
    package var epoch: Int64 = 0
    /// The witness: to whom the epoch was granted. 255: to nobody.
    package var primary: UInt8 = 255
    /// The witness: the other one than `primary` has all that was acknowledged. A standby without a witness: this node has.
    package var inSync = true
    /// The primary's statements about `inSync` count up within an epoch; an older one that arrives late changes nothing.
    package var serial: Int64 = 0

    package init() {}
}
