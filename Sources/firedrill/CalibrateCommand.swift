import ArgumentParser
import DrillAnalysis
import DrillCore
import FoundationEssentials
import Glibc

/// `firedrill calibrate`: known outages against what we measure of them.
struct Calibrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares known outages with what is measured of them, on this machine.",
        discussion: """
            Silences a host in a lab for exactly 50, 100, 300 and 1000 ms, again and again at random instants, while a
            client sends 1000 requests a second, and compares each outage with what the analysis says of it. The
            truth is the kernel's acknowledgement of the silence's begin and end. Then a store is told to lose exactly 1
            and 37 acknowledged writes, and what the report counts is compared. Every later run's report carries
            the result, until the machine is calibrated anew.

            Exit codes: 0 every stated interval held the truth, and every loss was counted; 1 not so.
            """)

    @Option(help: "How many outages, a quarter of each length.") var outages: Int = 100
    @Option(help: "The seed of the instants.") var seed: UInt64?
    @Flag(help: "Do not keep the result.") var discard = false
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard (4...4000).contains(outages) else {
            throw ValidationError("--outages is 4 to 4000, not \(outages)")
        }
    }

    func run() throws {
        try Failure.reporting {
            let missing = Capabilities.missing()
            guard missing.isEmpty else {
                throw Failure(code: .capability, message: missing.joined(separator: "\n"))
            }
            let interrupts = try Interrupts.install()
            let drill = CalibrationDrill(
                outages: outages, seed: seed ?? UInt64.random(in: 1...999_999_999),
                interrupts: interrupts)
            let report = try drill.run { complain($0) }
            if !discard { try CalibrationFile.save(report) }
            if json {
                print(try JSONLine.encode(report))
            } else {
                for line in CalibrationText.lines(report) { show(line) }
            }
            flushOutput()
            if !report.isGood { throw DrillCore.ExitCode.fail.exit }
        }
    }
}

/// The last calibration of this machine, in the user's state folder.
enum CalibrationFile {
    static var path: String? {
        if let state = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), state.hasPrefix("/") {
            return state + "/firedrill/calibration.json"
        }
        guard let home = getenv("HOME").map({ String(cString: $0) }), home.hasPrefix("/") else {
            return nil
        }
        return home + "/.local/state/firedrill/calibration.json"
    }

    static func save(_ report: CalibrationReport) throws {
        guard let path else { return }
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(
            atPath: "/" + folder, withIntermediateDirectories: true)
        try Files.write(Array((try JSONLine.encode(report) + "\n").utf8), to: path)
    }

    /// Nil where there is none. One that another kernel made says nothing of this one.
    static func latest() -> CalibrationReport? {
        guard let path, let bytes = try? Files.read(path),
            let report = try? JSONLine.decode(
                CalibrationReport.self, from: String(decoding: bytes, as: UTF8.self)),
            report.kernel == RunClock.kernel()
        else { return nil }
        return report
    }
}

enum CalibrationText {
    static func lines(_ report: CalibrationReport) -> [String] {
        let lengths = report.lengths.map { "\(Int($0))" }.joined(separator: ", ")
        var lines = [
            "\(report.outage.count) known outages of \(lengths) ms, \(Int(report.rate)) requests a second",
            part("outage", report.outage), part("rto", report.rto),
        ]
        for entry in report.lostWrites {
            lines.append(
                "  a store that was told to lose \(entry.told) writes: \(entry.measured.map(String.init) ?? "unknown") found"
            )
        }
        lines.append(
            report.isGood
                ? "GOOD  every stated interval held the truth, and every lost write was counted"
                : "NOT GOOD  do not trust this machine's numbers further than the errors above")
        return lines
    }

    private static func part(
        _ name: String, _ part: CalibrationReport.Comparison
    ) -> String {
        func ms(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        return
            "  \(name): error \(ms(part.errorLowest)) to \(ms(part.errorHighest)) ms, median \(ms(part.errorMedian)); interval \(ms(part.widthMedian)) ms wide, at most \(ms(part.widthHighest)); \(part.holding) of \(part.count) hold the truth, \(part.within) within their interval and 1 ms"
    }
}
