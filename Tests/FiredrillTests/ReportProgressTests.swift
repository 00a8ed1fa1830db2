import DrillCore
import Glibc
import Synchronization
import Testing
import firedrill

/// What a display has written.
private final class Said: Sendable {
    private let text = Mutex("")

    var all: String { text.withLock { $0 } }
    func append(_ more: String) { text.withLock { $0 += more } }

    /// False where it is not said within ten seconds.
    func comes(_ words: String) -> Bool {
        let limit = RunInstant.now + .seconds(10)
        while RunInstant.now < limit {
            if all.contains(words) { return true }
            usleep(1000)
        }
        return false
    }
}

/// The two ends of a pipe.
private struct Ends: ~Copyable {
    let read: Int32
    private let write: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (read, write) = (ends[0], ends[1])
    }

    deinit {
        close(read)
        close(write)
    }

    func send(_ signal: Int32) {
        var byte = UInt8(signal)
        _ = Glibc.write(write, &byte, 1)
    }
}

@Suite struct ReportProgressTests {
    @Test func `a signal while the report is written is answered, and the report is finished`()
        throws
    {
        let said = Said()
        let signals = try Ends()
        let display = Display(name: "kill", quiet: false, isTerminal: false, write: said.append)
        let finished = ReportProgress.during(display, interrupts: signals.read) { tell in
            for (trial, signal) in [(2, SIGINT), (3, SIGTERM)] {
                tell("trial \(trial) of 3")
                signals.send(signal)
                let answer = "  still writing the report: trial \(trial) of 3\n"
                guard said.comes(answer) else { return false }
            }
            return true
        }
        #expect(finished)
    }

    @Test func `a log gets a line at once and not one for each trial`() throws {
        let said = Said()
        let signals = try Ends()
        let display = Display(name: "kill", quiet: false, isTerminal: false, write: said.append)
        ReportProgress.during(display, interrupts: signals.read) { tell in
            #expect(said.comes("s  kill  writing the report"))
            for trial in 1...5 {
                tell("trial \(trial) of 5")
                usleep(20_000)
            }
        }
        #expect(said.all.split(separator: "\n").count == 1, "\(said.all)")
    }

    @Test func `on a terminal one line shows each trial and is gone at the end`() throws {
        let said = Said()
        let signals = try Ends()
        let display = Display(name: "kill", quiet: false, isTerminal: true, write: said.append)
        ReportProgress.during(display, interrupts: signals.read) { tell in
            for trial in 1...2 {
                tell("trial \(trial) of 2")
                #expect(said.comes("  kill  writing the report: trial \(trial) of 2"))
            }
        }
        display.clear()
        #expect(!said.all.contains("\n"))
        #expect(said.all.hasSuffix("\r\u{1B}[K"))
    }

    @Test func `who wants no progress gets none`() throws {
        let said = Said()
        let signals = try Ends()
        let display = Display(name: "kill", quiet: true, isTerminal: true, write: said.append)
        ReportProgress.during(display, interrupts: signals.read) { _ in
            signals.send(SIGINT)
            usleep(50_000)
        }
        #expect(said.all.isEmpty)
    }
}
