import Glibc

/// A thread of its own for what blocks or must not be disturbed: never a thread of the concurrency pool.
package struct JoinableThread: Sendable {
    private let thread: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Nil where the kernel gives no thread.
    package init?(_ run: @escaping @Sendable () -> Void) {
        let body = Unmanaged.passRetained(Body(run))
        var made = pthread_t()
        let error = pthread_create(
            &made, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard error == 0 else {
            body.release()
            return nil
        }
        thread = made
    }

    /// Waits for its end; once.
    package func join() { pthread_join(thread, nil) }
}
