package import DrillCore

/// `junit.xml`: a suite for the run, a case for each expectation and each trial. What the evidence refutes is a
/// failure; what it does not decide is an error, so that no reader takes it for a pass.
package enum JUnitReport {
    package static func encode(_ report: RunReport) -> [UInt8] { encode([report]) }

    /// A suite for each run.
    package static func encode(_ reports: [RunReport]) -> [UInt8] {
        let suites = reports.map(suite)
        let sum = suites.reduce(into: Counts()) { $0.add($1.counts) }
        var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        out += "<testsuites name=\"firedrill\" \(sum.attributes)>\n"
        for suite in suites { out += suite.xml }
        out += "</testsuites>\n"
        return [UInt8](out.utf8)
    }

    private struct Counts {
        var tests = 0
        var failures = 0
        var errors = 0

        mutating func add(_ other: Counts) {
            tests += other.tests
            failures += other.failures
            errors += other.errors
        }

        var attributes: String {
            "tests=\"\(tests)\" failures=\"\(failures)\" errors=\"\(errors)\""
        }
    }

    private static func suite(_ report: RunReport) -> (xml: String, counts: Counts) {
        let run = report.run
        let group = "\(run.system).\(run.scenario)"
        var cases = report.expectations.map { expectation in
            Case(
                group: group + ".expectations",
                name: Headline.name(expectation) + " " + expectation.threshold,
                verdict: expectation.verdict, lines: [Headline(report).line(expectation)])
        }
        let current = Headline(report).current
        cases += report.trials.map { trial in
            let again = trial.attempt > 1 ? " attempt \(trial.attempt)" : ""
            return Case(
                group: group + ".trials", name: "trial \(trial.index)\(again)",
                verdict: trial.verdict, lines: trial.reasons,
                isReplaced: trial.verdict == .inconclusive && !current.contains(trial))
        }
        if report.heal.verdict == .restoreFailed || !report.heal.leftBehind.isEmpty {
            cases.append(
                Case(
                    group: group, name: "everything is put back", verdict: .fail,
                    lines: report.heal.leftBehind.isEmpty
                        ? ["restore failed"] : report.heal.leftBehind))
        }
        if cases.allSatisfy({ $0.verdict == .pass || $0.isReplaced }), report.verdict != .pass {
            cases.append(
                Case(group: group, name: "run", verdict: report.verdict, lines: report.reasons))
        }
        let failures = cases.count { $0.verdict == .fail }
        let skipped = cases.count { $0.isReplaced }
        let errors = cases.count { $0.verdict == .inconclusive } - skipped
        let counts = Counts(tests: cases.count, failures: failures, errors: errors)
        var out =
            "  <testsuite name=\"\(PlainText.markup(name(run)))\" \(counts.attributes) skipped=\"\(skipped)\""
        if let started = run.startedAt { out += " timestamp=\"\(PlainText.markup(started))\"" }
        out += ">\n    <properties>\n"
        for (name, value) in properties(report) {
            out += "      <property name=\"\(name)\" value=\"\(PlainText.markup(value))\"/>\n"
        }
        out += "    </properties>\n"
        for entry in cases { out += entry.xml }
        out += "  </testsuite>\n"
        return (out, counts)
    }

    private static func name(_ run: RunFacts) -> String {
        let cell = run.cell.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(run.system)/\(run.scenario)\(cell)"
    }

    private static func properties(_ report: RunReport) -> [(String, String)] {
        let headline = Headline(report)
        var properties = [
            ("verdict", report.verdict.rawValue), ("exit_code", String(report.exitCode)),
            ("run", report.run.id), ("version", report.run.version),
        ]
        if let seed = report.run.seed { properties.append(("seed", String(seed))) }
        if let rto = headline.worstRTO { properties.append(("rto_max", Shown.measure(rto))) }
        if let loss = headline.loss { properties.append(("writes", loss)) }
        if headline.hasFailover { properties.append(("failover", headline.failover)) }
        return properties
    }

    private struct Case {
        var group: String
        var name: String
        var verdict: Verdict
        var lines: [String]
        /// A retry took this attempt's place: it is listed, and is no missing evidence.
        var isReplaced = false

        var xml: String {
            let head =
                "    <testcase classname=\"\(PlainText.markup(group))\" name=\"\(PlainText.markup(name))\""
            let element: String
            switch verdict {
            case .pass: return head + "/>\n"
            case .fail: element = "failure"
            case .inconclusive: element = "error"
            }
            let message = PlainText.markup(lines.first ?? verdict.rawValue)
            if isReplaced {
                return head + ">\n      <skipped message=\"\(message)\"/>\n    </testcase>\n"
            }
            let body = lines.map(PlainText.markup).joined(separator: "\n")
            return head
                + ">\n      <\(element) message=\"\(message)\" type=\"\(verdict.rawValue)\">"
                + body + "</\(element)>\n    </testcase>\n"
        }
    }
}
