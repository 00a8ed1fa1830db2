import Glibc

/// `firedrill-agent emulator`: requests as JSON lines on standard input, replies on standard output.
package enum EmulatorProgram {
    /// The program's exit status; returns at the end of standard input.
    package static func main() -> Int32 {
        // Ctrl-C reaches the whole foreground group; whoever started this decides what it means.
        for number in [SIGINT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        var loop = EmulatorLoop()
        return loop.run()
    }
}
