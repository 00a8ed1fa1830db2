import DrillCore

/// What the numbers rest on: how it was measured, what was not seen, and how anybody can repeat it.
extension HTMLReport {
    var method: Markup {
        var seen: Set<String> = []
        let rows = report.trials.flatMap(\.streams).compactMap { stream -> [Markup]? in
            guard seen.insert(stream.stream).inserted else { return nil }
            let workload = record.scenario.workloads.first {
                stream.stream.hasPrefix($0.name.rawValue + "/")
            }
            let period = workload?.period.milliseconds
            let smallest = period.map { Shown.duration($0 * Double(max(1, stream.noiseK))) } ?? "–"
            return [
                "\(stream.stream)", "\(workload.map { "\(Shown.count(Int($0.rate)))/s" } ?? "–")",
                "\(workload.map { Shown.duration($0.timeout.milliseconds) } ?? "–")",
                "\(Shown.duration(stream.slow))", "\(stream.noiseK)", "\(smallest)",
            ]
        }
        let lag = report.trials.compactMap(\.lagMax).max()
        let clock = report.trials.map(\.clockError).max()
        var notes: [String] = []
        if let lag {
            notes.append(
                language(
                    "The load engine took up operations at most \(Shown.latency(lag)) late around the outage; this is part of each interval.",
                    "中断前后，负载引擎最多滞后 \(Shown.latency(lag)) 取用操作；已计入各区间。"))
        }
        if let clock {
            notes.append(
                clock == 0
                    ? language(
                        "All hosts share one clock: its error is 0.", "所有主机共用一个时钟，误差为 0。")
                    : language(
                        "Clocks of hosts are known to \(Shown.latency(clock)).",
                        "各主机时钟误差不超过 \(Shown.latency(clock))。"))
        }
        notes.append(calibrationNote)
        let explained = language(
            "Operations are sent on a schedule fixed before the run, whatever became of earlier ones. RTO is from the instant the fault took effect to the answer that ended the last outage charged to it, as an interval: both ends are what the client could see. An outage opens with a failure that noise does not explain: at least k bad operations in a stretch of \(Shown.duration(record.scenario.stable.milliseconds)).",
            "操作按运行前固定的计划发出，与先前操作的结果无关。RTO 从故障生效算到结束最后一次归因中断的应答，以区间表示：两端均为客户端所能看到的。当 \(Shown.duration(record.scenario.stable.milliseconds)) 内至少有 k 次失败、噪声无法解释时，判为中断。"
        )
        return """
            <h2>\(language("How it was measured", "测量方法"))</h2>
            <p>\(explained)</p>
            \(rows.isEmpty ? .none : table(nil, [
                .text(language("Stream", "流")), .number(language("Rate", "速率")), .number(language("Time-out", "超时")),
                .number(language("Slow from", "慢于")), .number("k"), .number(language("Smallest visible outage", "可见的最小中断")),
            ], rows))
            \(notes.map { "<p>\($0)</p>" as Markup })
            """
    }

    /// What known outages of this machine were measured as.
    private var calibrationNote: String {
        guard let calibration = report.calibration else {
            return language(
                "The machine was not calibrated: firedrill calibrate compares known outages with what is measured of them.",
                "本机尚未校准：firedrill calibrate 会将已知中断与测得结果相比较。")
        }
        let part = calibration.rto
        let errors =
            "\(Shown.latency(part.errorLowest)) – \(Shown.latency(part.errorHighest))"
        return language(
            "The machine was calibrated at \(calibration.at): of \(part.count) known outages \(part.holding) lay in the stated interval; the value was off by \(errors).",
            "本机校准于 \(calibration.at)：\(part.count) 次已知中断中有 \(part.holding) 次落在所述区间内；数值偏差 \(errors)。"
        )
    }

    var notEvidenced: Markup {
        guard !report.notEvidenced.isEmpty else { return .none }
        return """
            <h2>\(language("What this run does not show", "本次运行未能证明的"))</h2>
            \(list(report.notEvidenced))
            """
    }

    var evidence: Markup {
        let run = report.run
        var command = "firedrill run scenario.yaml --system system.yaml"
        if let seed = run.seed { command += " --seed \(seed)" }
        var facts: [(String, String)] = [(language("run", "运行"), run.id)]
        if let started = run.startedAt, let finished = run.finishedAt {
            facts.append((language("time", "时间"), "\(started) – \(finished)"))
        }
        if let kernel = run.kernel { facts.append((language("kernel", "内核"), kernel)) }
        if let seed = run.seed { facts.append((language("seed", "种子"), String(seed))) }
        if let fingerprint = run.fingerprint {
            facts.append((language("fingerprint", "指纹"), fingerprint))
        }
        let files =
            report.evidence.isEmpty
            ? Markup.none
            : """
            <details><summary>\(language("Files and their SHA-256", "文件及其 SHA-256"))</summary>\(table(nil, [.text(language("File", "文件")), .text("SHA-256")], report.evidence.map { ["\($0.file)", "<code>\($0.sha256)</code>"] }))</details>
            """
        return """
            <h2>\(language("Evidence, and how to repeat it", "证据与复现"))</h2>
            <p>\(language("In the run folder, which holds the scenario and the system as they were resolved:", "在运行目录中（内含解析后的场景与系统文件）："))</p>
            <pre>\(command)
            firedrill report \(run.id)   \(language("# all findings again, from the recorded operations", "# 由记录的操作重新得出全部结论"))</pre>
            \(table(nil, [.text(language("Fact", "事实")), .text("")], facts.map { ["\($0.0)", "<code>\($0.1)</code>"] }, compact: true))
            \(files)
            """
    }
}
