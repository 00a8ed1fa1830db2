import ArgumentParser
import DrillAnalysis
import DrillCore
import Glibc

/// `firedrill check`: judges a register history by itself.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says whether a register history is linearizable.",
        discussion: """
            FILE holds one line for the begin and one for the end of each operation, in the order in which they
            happened: Jepsen's EDN ({:process 0, :type :invoke, :f :write, :value 1}), the lines of its log, or
            JSON ({"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}). type is invoke, ok,
            fail or info; f is read, write or cas, whose value is [old new]. Without `key` a value of two is a key and
            what is done to it, as Jepsen writes them: [key value], and [key [old new]] of a cas; registers that hold
            lists of two need `key`. A process is a number or a name; the nemesis (a keyword, or that word) is passed
            over.

            Exit codes: 0 linearizable; 1 not; 2 the limits ended the search; 3 the file cannot be read, or is no
            history; 64 wrong usage.
            """)

    @Argument(help: "A history file; - is standard input.") var file: String
    @Option(
        help:
            "What each register holds before the first operation, spelled as in the file; nil and null are nothing."
    )
    var initial: String = "nil"
    @Option(help: "How many operations may be tried, in millions, of all keys together.")
    var steps: Int = 50
    @Option(help: "How much memory the search of a key may remember in, in MiB.")
    var memory: Int = 512

    /// EDN's word for nothing is JSON's as well.
    private var spelledInitial: String { initial == "null" ? "nil" : initial }

    func validate() throws {
        var none = RegisterHistory()
        guard HistoryFile.value(spelledInitial, in: &none) != nil else {
            throw ValidationError("--initial is one value, such as nil or 0, not '\(initial)'")
        }
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps is 1 to 1000000 millions, not \(steps)")
        }
        guard (1...1_000_000).contains(memory) else {
            throw ValidationError("--memory is 1 to 1000000 MiB, not \(memory)")
        }
    }

    func run() throws {
        try Failure.reporting {
            let bytes: [UInt8]
            do {
                bytes = try file == "-" ? Files.readStandardInput() : Files.read(file)
            } catch let failure as Failure {
                throw Failure(code: failure.code, message: "\(file): \(failure.message)")
            }
            var history: RegisterHistory
            do {
                history = try HistoryFile.read(bytes, name: file)
            } catch {
                complain("\(error)")
                throw DrillCore.ExitCode.invalidFile.exit
            }
            guard !history.operations.isEmpty else {
                throw Failure(code: .invalidFile, message: "\(file): holds no operation")
            }
            history.initial =
                HistoryFile.value(spelledInitial, in: &history) ?? RegisterHistory.absent
            let finding = ConsistencyFinding.find(
                history,
                limits: LinearizabilityChecker.Limits(
                    steps: steps * 1_000_000, bytes: memory << 20))
            try tell(finding, history)
        }
    }

    private func tell(_ finding: ConsistencyFinding, _ history: RegisterHistory) throws {
        let counts =
            "\(finding.operations) operations on \(finding.keys) key\(finding.keys == 1 ? "" : "s")"
        var code = DrillCore.ExitCode.pass
        switch finding.linearizable {
        case true?: show("LINEARIZABLE  \(counts)")
        case false?:
            code = .fail
            show(
                "NOT LINEARIZABLE  \(counts)  stale reads \(finding.staleReads)  lost updates \(finding.lostUpdates)"
            )
            if let window = finding.window {
                show(WindowPicture.caption(window, of: history))
                let listed = window.listed(ConsistencyWindow.mostOperations)
                for line in WindowPicture.lines(listed, of: history) { show(line) }
                let omitted = window.operations.count - listed.count
                if omitted > 0 {
                    show("\(omitted) more between the first and the last are not drawn.")
                }
            }
        case nil:
            code = .inconclusive
            show("UNKNOWN  \(counts)  \(finding.reason ?? "")")
        }
        flushOutput()
        if code != .pass { throw code.exit }
    }
}
