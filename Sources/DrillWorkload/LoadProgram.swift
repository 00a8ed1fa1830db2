import DrillCore
import Glibc
import Synchronization

/// `firedrill-load`: a plan and commands as JSON lines on standard input, events on standard output.
package enum LoadProgram {
    package static func main() -> Never {
        // Ctrl-C reaches the whole foreground group; the controller alone decides what it means.
        for number in [SIGINT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        DescriptorLimit.raise()
        guard let line = readLine() else { exit(0) }
        do {
            switch try JSONLine.decode(LoadCommand.self, from: line) {
            case .run(let plan):
                let run = try LoadRun(plan) { write($0) }
                try obeying { run.stop(at: $0) }
                _ = try run.wait()
            case .verify(let plan):
                let verifier = try Verifier(plan) { write($0) }
                try obeying { _ in verifier.end() }
                try verifier.run()
            case .watch(let plan):
                let watcher = try Watcher(plan) { write($0) }
                try obeying { _ in watcher.end() }
                try watcher.run()
            case .stop: fail("the first command must be a plan")
            }
            exit(0)
        } catch let error as LoadError {
            fail(error.description)
        } catch {
            fail("not a command: \(error)")
        }
    }

    /// Reads commands on a thread of its own; the end of the input is a stop.
    private static func obeying(
        stop: @escaping @Sendable (RunInstant) -> Void
    ) throws(LoadError) {
        let thread = JoinableThread {
            while let line = readLine() {
                switch Result(catching: { try JSONLine.decode(LoadCommand.self, from: line) }) {
                case .success(.stop(let instant)): stop(instant)
                case .success(.run), .success(.verify), .success(.watch), .failure: break
                }
            }
            // The controller is gone.
            stop(.now)
        }
        if thread == nil { throw .system(call: "pthread_create", reason: "no thread") }
    }

    /// Whole lines, whoever writes: readers of stores have a thread each.
    private static func write(_ event: LoadEvent) {
        guard let line = try? JSONLine.encode(event) else { return }
        let bytes = Array((line + "\n").utf8)
        output.withLock { _ in send(bytes[...]) }
    }

    private static let output = Mutex(())

    private static func send(_ line: ArraySlice<UInt8>) {
        var bytes = line
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress!, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }

    private static func fail(_ reason: String) -> Never {
        write(.failed(reason))
        exit(1)
    }
}
