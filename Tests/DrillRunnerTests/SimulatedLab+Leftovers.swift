import DrillCore

extension SimulatedLab {
    /// What a fault left in effect on a lab that still stands.
    var leftovers: [String] {
        hosts.filter { !$0.value.answers || !$0.value.stopped.isEmpty }.map { "\($0.key)" }.sorted()
            + cuts.map(\.description)
    }
}
