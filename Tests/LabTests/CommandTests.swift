import FoundationEssentials
import Testing

/// The commands that need no lab, as a pipeline calls them: what they print, and their exit codes.
@Suite struct CommandTests {
    private func firedrill(
        _ arguments: String...
    ) throws -> (output: String, status: Int32) {
        try Programs.run([Programs.firedrill] + arguments, withErrors: true, within: .seconds(60))
    }

    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = "/var/tmp/command-test-\(UInt64.random(in: 0..<UInt64.max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        try body(folder)
    }

    private struct Simulated: Decodable {
        var evidence: String
        var drills: Int
        var drills_per_s: Double
        var events: Int
        var digest: String
        var counter_examples: [Find]
        struct Find: Decodable {}
    }

    private func simulated(_ text: String) throws -> Simulated {
        try JSONDecoder().decode(Simulated.self, from: Data(text.utf8))
    }

    @Test func `a seed gives one digest, on however many threads`() throws {
        let one = try firedrill("simulate", "--drills", "1500", "--seed", "7", "--json")
        let two = try firedrill(
            "simulate", "--drills", "1500", "--seed", "7", "--json", "--threads", "2")
        #expect(one.status == 0 && two.status == 0)
        let (first, second) = (try simulated(one.output), try simulated(two.output))
        #expect(first.evidence == "model" && first.drills == 1500)
        #expect(first.drills_per_s > 0 && first.counter_examples.isEmpty)
        #expect(first.digest == second.digest && first.events == second.events)
        let other = try firedrill("simulate", "--drills", "1500", "--seed", "8", "--json")
        #expect(try simulated(other.output).digest != first.digest)
        let text = try firedrill("simulate", "--drills", "300").output
        #expect(text.contains("model evidence") && text.contains("\nno counter-example\n"))
    }

    @Test func `a counter-example is written, and its replay shows the same`() throws {
        try inFolder { folder in
            let found = try firedrill(
                "simulate", "--planted", "lease-from-answer", "--drills", "2000", "--out", folder)
            // It was to be found.
            #expect(found.status == 0, "\(found.output)")
            let replay = try #require(
                found.output.split(separator: "\n").first { $0.hasPrefix("replay: firedrill ") })
            let words = replay.split(separator: " ").dropFirst(2).map(String.init)
            let again = try Programs.run([try Programs.firedrill] + words, withErrors: true)
            #expect(again.status == 1)
            let name = try #require(
                Programs.names(in: folder).first { $0.hasSuffix(".txt") }?.dropLast(4))
            #expect(try Programs.text("\(folder)/\(name).txt") == again.output)
            #expect(again.output.contains("two nodes serve at the same instant"))
            let page = try Programs.text("\(folder)/\(name).html")
            #expect(page.contains("MODEL EVIDENCE") && page.contains("lease-from-answer"))
        }
        let missed = try firedrill("simulate", "--planted", "start-not-synced", "--drills", "5")
        #expect(missed.status == 1)
    }

    @Test(arguments: [
        (["--drills", "0"], "--drills is 1 to 1000000000, not 0"),
        (["--planted", "nothing"], "--planted nothing: all, or one of "),
        (["--out", "/proc/none"], "/proc/none: cannot be made"),
        (["--seed", "18446744073709551615"], "are beyond 64 bits"),
    ])
    func `a simulation that cannot be is refused`(arguments: [String], words: String) throws {
        let refused = try Programs.run(
            [try Programs.firedrill, "simulate"] + arguments, withErrors: true)
        #expect(refused.status == 64)
        #expect(refused.output.contains(words), "\(refused.output)")
    }

    @Test func `a history is judged by itself`() throws {
        func lines(_ second: String) -> String {
            """
            {:process 0, :type :invoke, :f :write, :value 1}
            {:process 0, :type :ok, :f :write, :value 1}
            {:process 1, :type :invoke, :f :read, :value nil}
            {:process 1, :type :ok, :f :read, :value \(second)}

            """
        }
        try inFolder { folder in
            func judged(_ text: String, _ more: String...) throws -> (output: String, status: Int32)
            {
                let path = folder + "/history.edn"
                try Data(text.utf8).write(to: URL(filePath: path))
                return try Programs.run(
                    [try Programs.firedrill, "check", path] + more, withErrors: true)
            }
            let good = try judged(lines("1"))
            #expect(good.status == 0 && good.output == "LINEARIZABLE  2 operations on 1 key\n")
            let stale = try judged(lines("nil"))
            #expect(stale.status == 1)
            #expect(
                stale.output.hasPrefix(
                    "NOT LINEARIZABLE  2 operations on 1 key  stale reads 1  lost updates 0\n"))
            let bad = try judged(lines("1}"))
            #expect(bad.status == 3)
            #expect(bad.output.contains("/history.edn:4:"), "\(bad.output)")
            #expect(bad.output.contains(": error: "), "\(bad.output)")
            #expect(try judged("").status == 3)
            #expect(try judged(lines("1"), "--initial", "[").status == 64)
        }
        #expect(try firedrill("check", "/nowhere/history").status == 3)
    }
}
