import CLinux
import DrillCore
import Glibc

/// Reads a program's output as it comes, and to its end once the program has ended.
@LabActor
final class OutputReader {
    private let source: Descriptor
    private var lines = LineSplitter()
    private let line: (String, InstantInterval) -> Void
    private let done = Promise<Void>()
    private var isFinishing = false

    /// - Parameter line: each line, with the interval in which it arrived.
    init(_ source: Descriptor, line: @escaping (String, InstantInterval) -> Void) {
        self.source = source
        self.line = line
        spawn { [self] in await run() }
    }

    private func run() async {
        while !isFinishing, case .ready = await Reactor.shared.readable(source.number) {
            if !take() { break }
        }
        // What was written before the program ended is there; a daemon that holds the pipe is not waited for.
        while isReadable, take() {}
        if let rest = lines.end() { line(rest, Reactor.shared.arrival) }
        done.fulfil(())
    }

    /// False at the end of the file.
    private func take() -> Bool {
        do {
            let bytes = try source.read()
            let arrival = Reactor.shared.arrival
            for text in lines.add(bytes) { line(text, arrival) }
            return !bytes.isEmpty
        } catch {
            return false
        }
    }

    private var isReadable: Bool {
        var entry = clinux_poll(descriptor: source.number, asked: Int16(POLLIN), seen: 0)
        return clinux_ppoll(&entry, 1, 0) > 0
    }

    /// Reads what is there, and no more.
    func finish() async {
        isFinishing = true
        Reactor.shared.forget(source.number)
        await done.wait()
    }
}
