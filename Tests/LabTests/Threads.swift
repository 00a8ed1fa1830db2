import Glibc
import Synchronization

private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Takes blocking work one by one on so many threads of its own.
func onThreads<Work: Sendable>(
    _ count: Int, _ work: [Work], _ body: @escaping @Sendable (_ thread: Int, Work) -> Void
) {
    let next = NextIndex()
    let threads = (0..<count).compactMap { number -> pthread_t? in
        let start = Unmanaged.passRetained(
            ThreadStart {
                while let index = next.take(below: work.count) { body(number, work[index]) }
            })
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        if failure == 0 { return thread }
        start.release()
        return nil
    }
    for thread in threads { pthread_join(thread, nil) }
}

private final class NextIndex: Sendable {
    private let index = Mutex(0)

    func take(below count: Int) -> Int? {
        index.withLock { index in
            guard index < count else { return nil }
            defer { index += 1 }
            return index
        }
    }
}
