/// Everything the supervisor does runs here: one thread, the program's first, between two waits of the reactor.
@globalActor
actor LabActor {
    static let shared = LabActor()
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        Reactor.shared.asUnownedSerialExecutor()
    }
}
