import DrillCore
import Glibc

/// `firedrill-load`: a plan and commands as JSON lines on standard input, events on standard output.
package enum LoadProgram {
    package static func main() -> Never {
        // Ctrl-C reaches the whole foreground group; the controller alone decides what it means.
        for number in [SIGINT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        DescriptorLimit.raise()
        guard let line = readLine() else { exit(0) }
        do {
            guard case .run(let plan) = try JSONLine.decode(LoadCommand.self, from: line) else {
                fail("the first command must be a plan")
            }
            let run = try LoadRun(plan) { write($0) }
            guard let reader = JoinableThread({ obey(run) }) else { fail("no thread") }
            _ = reader
            _ = try run.wait()
            exit(0)
        } catch let error as LoadError {
            fail(error.description)
        } catch {
            fail("not a command: \(error)")
        }
    }

    private static func obey(_ run: LoadRun) {
        while let line = readLine() {
            switch Result(catching: { try JSONLine.decode(LoadCommand.self, from: line) }) {
            case .success(.stop(let instant)): run.stop(at: instant)
            case .success(.run), .success(.verify), .success(.watch), .failure: break
            }
        }
        // The controller is gone.
        run.stop(at: .now)
    }

    private static func write(_ event: LoadEvent) {
        guard let line = try? JSONLine.encode(event) else { return }
        var bytes = Array((line + "\n").utf8)[...]
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
