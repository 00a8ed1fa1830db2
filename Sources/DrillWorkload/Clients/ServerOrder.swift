import Synchronization

/// Which of several servers (sentinels, members of a cluster) is asked first, for all connections of a client: the one
/// that answered last, or the first that has not failed.
final class ServerOrder: Sendable {
    private let preferred = Atomic(0)

    var first: Int { preferred.load(ordering: .relaxed) }

    func answered(_ index: Int) { preferred.store(index, ordering: .relaxed) }

    /// The one after it is asked first from now on, if it was this one's turn.
    func failed(_ index: Int, of count: Int) {
        _ = preferred.compareExchange(
            expected: index, desired: (index + 1) % count, ordering: .relaxed)
    }
}
