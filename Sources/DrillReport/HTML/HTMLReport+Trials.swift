import DrillCore

/// Each trial: its pictures, and all of its numbers.
extension HTMLReport {
    /// So many are open at first.
    private static let mostOpen = 3

    var trials: Markup {
        guard !report.trials.isEmpty else {
            return
                "<h2>\(language("Trials", "试验"))</h2><p class=\"muted\">\(language("No trial was run.", "没有进行试验。"))</p>"
        }
        // With many, one is enough to begin with: the first that failed, else the first that is not decided.
        let one =
            report.trials.firstIndex { $0.verdict == .fail }
            ?? report.trials.firstIndex { $0.verdict == .inconclusive } ?? 0
        let all = report.trials.enumerated().map { index, trial -> Markup in
            let open = report.trials.count <= Self.mostOpen || index == one
            let history = index < record.histories.count ? record.histories[index] : nil
            let marks = index < record.writes.count ? record.writes[index] : nil
            return section(trial, history, marks, open: open)
        }
        return "<h2>\(language("Trials", "试验"))</h2>\(legend)\(all)"
    }

    private var legend: Markup {
        func entry(_ style: Markup, _ text: String, second: Markup? = nil) -> Markup {
            let more: Markup =
                second.map { "<rect class=\"\($0)\" x=\"1\" y=\"1\" width=\"20\" height=\"10\"/>" }
                ?? .none
            return
                "<li><svg viewBox=\"0 0 22 12\" aria-hidden=\"true\"><rect class=\"\(style)\" x=\"1\" y=\"1\" width=\"20\" height=\"10\"/>\(more)</svg>\(text)</li>"
        }
        var entries = [
            entry("good", language("good", "成功")),
            entry("bad", language("bad", "失败"), second: "bad-lines"),
            entry("unsent", language("not sent", "未发出")),
        ]
        let hasSteps = report.trials.contains { !$0.steps.isEmpty }
        if hasSteps {
            entries.append(entry("band", language("step, until its heal", "步骤（至复原）")))
            entries.append(entry("rto", language("RTO measured", "实测 RTO")))
        }
        if report.summary.predicted != nil {
            entries.append(entry("predicted", language("RTO predicted", "预测 RTO")))
        }
        if record.system.roles != nil {
            entries.append(entry("claim", language("holds the primary role", "持有主角色")))
            if hasSteps {
                entries.append(entry("state", language("dead, frozen or cut off", "断电、冻结或隔离")))
            }
        }
        if report.trials.contains(where: { $0.splitBrain.seen == true }) {
            entries.append(entry("overlap", language("split brain", "脑裂")))
        }
        return "<ul class=\"legend\">\(entries)</ul>"
    }

    private func section(
        _ trial: TrialReport, _ history: History?, _ marks: LedgerMarks?, open: Bool
    ) -> Markup {
        let attempt =
            trial.attempt > 1
            ? language(", attempt \(trial.attempt)", "，第 \(trial.attempt) 次尝试") : ""
        var facts: [String] = []
        if !trial.steps.filter(\.measured).isEmpty {
            facts.append(
                "RTO " + Shown.measure(trial.rto, language)
                    + (Shown.interval(trial.rto).map { " " + $0 } ?? ""))
        }
        if let before = trial.primaryBefore {
            facts.append("\(before) → \(trial.primaryAfter ?? "–")")
        }
        if let loss = lossFact(trial) { facts.append(loss) }
        let pictures: Markup
        if let history, let timeline = Timeline(trial, history, record, language) {
            pictures = draw(timeline, trial)
        } else {
            pictures =
                "<p class=\"muted\">\(language("The history of this trial is not in the run folder: no picture.", "运行目录中没有该试验的历史，无法绘图。"))</p>"
        }
        let isOpen: Markup = open ? " open" : .none
        return """
            <details class="trial"\(isOpen)><summary>\(language("Trial", "试验")) \(trial.index)\(attempt)\(badge(trial.verdict))<small>\(facts.joined(separator: " · "))</small></summary><div class="inner">
            \(list(trial.reasons))
            \(pictures)\(writesPicture(trial, marks, history))\(windowPicture(trial))
            <details><summary>\(language("Numbers of this trial", "本次试验的数据"))</summary>
            \(trial.steps.map { self.step($0, trial) })
            \(streams(trial))\(writes(trial))\(consistency(trial))
            \(remarks(trial))
            </details>
            </div></details>

            """
    }

    private func draw(_ timeline: Timeline, _ trial: TrialReport) -> Markup {
        func figure(_ range: ClosedRange<Double>, _ caption: String) -> Markup {
            let label = language("Trial \(trial.index): \(caption)", "试验 \(trial.index)：\(caption)")
            let wide = TimelinePicture.draw(
                timeline, range: range, width: TimelinePicture.wide, label: label, language)
            let narrow = TimelinePicture.draw(
                timeline, range: range, width: TimelinePicture.narrow, label: label, language)
            return "<figure><figcaption>\(caption)</figcaption>\(wide)\(narrow)</figure>\n"
        }
        var all = figure(0...timeline.end, language("The whole trial", "整个试验"))
        for range in timeline.closeUps {
            all += figure(range, language("Close-up of the outage", "中断放大图"))
        }
        return all
    }

    // MARK: Numbers

    private func step(_ step: StepReport, _ trial: TrialReport) -> Markup {
        let action = step.fault ?? step.action.map { "do: \($0)" } ?? ""
        var facts: [String] = []
        if let host = step.host {
            let role = step.role.map { language(" (as \($0))", "（角色 \($0)）") } ?? ""
            facts.append(language("host \(host)\(role)", "主机 \(host)\(role)"))
        }
        if let jitter = step.jitter {
            facts.append(language("jitter ", "随机延后 ") + Shown.duration(jitter))
        }
        if let backend = step.backend { facts.append(language("backend ", "后端 ") + backend) }
        if let keeper = step.keeper { facts.append(language("keeper ", "看守 ") + keeper) }
        if let recovered = step.recoveredBy {
            facts.append(language("recovered by \(recovered)", "恢复者：\(recovered)"))
        }
        if let heal = step.heal {
            let by = step.healedBy.map { language(" by \($0.rawValue)", "（\($0.rawValue)）") } ?? ""
            facts.append(language("heal\(by): \(heal.rawValue)", "复原\(by)：\(heal.rawValue)"))
        }
        facts.append(language("redundancy \(step.redundancy)", "冗余：\(step.redundancy)"))
        var proof: Markup = .none
        if let shown = step.proof {
            let verdict: Verdict = shown.proven ? .pass : .inconclusive
            let word =
                shown.proven
                ? language("Effect proven", "效果已证实") : language("Effect not proven", "效果未证实")
            proof =
                "<p><span class=\"v v-\(Self.style(verdict))\">\(Self.mark(verdict)) \(word)</span></p>\(list(shown.witnesses))"
        }
        return """
            <h4>\(language("Step", "步骤")) <code>\(step.step)</code>: \(action)\(step.measured ? "" : language(" (a preparation)", "（准备步骤）"))</h4>
            <p class="muted">\(facts.joined(separator: " · "))</p>
            \(proof)
            \(measures(step))
            \(instants(step))
            """
    }

    private func measures(_ step: StepReport) -> Markup {
        let rows: [(String, String, Measure)] = [
            ("RTO", step.rtoStream ?? "", step.rto),
            (language("longest outage", "最长中断"), "", step.outage),
            (language("noticed after", "察觉用时"), "", step.detect),
            (language("brown-out", "降级时长"), "", step.brownout),
            (language("outage after the heal", "复原引起的中断"), "", step.failbackOutage),
            (language("recovery after the heal", "复原后恢复用时"), "", step.recoveryAfterHeal),
            (language("downtime equivalent", "等效停机时长"), "", step.downtimeEquivalent),
            (language("time without redundancy", "无冗余时长"), "", step.timeWithoutRedundancy),
        ]
        return table(
            nil,
            [
                .text(language("Measure", "度量")), .number(language("Value", "值")),
                .number(language("Interval", "区间")), .text(language("Status", "状态")),
                .text(language("Remark", "说明")),
            ],
            rows.map { name, stream, measure in
                let shown = measure.status == .unknown ? "–" : Shown.measure(measure, language)
                return [
                    "\(name)", "\(shown)", "\(Shown.interval(measure) ?? "")",
                    "\(status(measure.status))",
                    "\(reason(measure.reason ?? ""))\(stream.isEmpty ? "" : language("stream \(stream)", "流 \(stream)"))",
                ]
            })
    }

    private func status(_ status: Measure.Status) -> String {
        switch status {
        case .measured: language("measured", "已测得")
        case .censored: language("censored", "删失")
        case .unknown: language("unknown", "未知")
        case .notApplicable: language("does not apply", "不适用")
        }
    }

    private func instants(_ step: StepReport) -> Markup {
        let t0 = step.instants.t0Low ?? step.instants.t0High
        let rows = Timeline.Instant.all.map { instant -> [Markup] in
            guard let at = instant.value(step.instants) else {
                return ["\(instant.name)", "\(instant.meaning(language))", "–", ""]
            }
            var time = Shown.fixed(at / 1000, 3) + " s"
            if instant.name == "t0", let low = step.instants.t0Low, let high = step.instants.t0High,
                low != high
            {
                time = "\(Shown.fixed(low / 1000, 3))–\(Shown.fixed(high / 1000, 3)) s"
            }
            let after =
                t0.map { instant.name == "t0" ? "" : Shown.fixed((at - $0) / 1000, 3) + " s" } ?? ""
            return ["\(instant.name)", "\(instant.meaning(language))", "\(time)", "\(after)"]
        }
        return table(
            language(
                "Instants, from the trial's first intended operation",
                "时刻（自本次试验的首个计划操作起）"),
            [
                .text(language("Instant", "时刻")), .text(language("Meaning", "含义")),
                .number(language("At", "时间")), .number(language("After t0", "距 t0")),
            ], rows, compact: true)
    }

    private func streams(_ trial: TrialReport) -> Markup {
        let counts = trial.streams.map { stream -> [Markup] in
            let rate = stream.successRate
            func percent(_ ratio: Double?) -> Markup { "\(ratio.map { Shown.percent($0) } ?? "–")" }
            let operations = stream.operations
            return ["\(stream.stream)"]
                + [
                    operations.intended, operations.ok, operations.failed, operations.indeterminate,
                    operations.unsent,
                ].map { "\(Shown.count($0))" as Markup }
                + [percent(rate.duringFault), percent(rate.after), percent(rate.overall)]
        }
        let latencies = trial.streams.flatMap { stream -> [[Markup]] in
            [
                (language("corrected", "校正"), stream.latency),
                (language("naive", "未校正"), stream.naiveLatency),
                (language("send lag", "发送滞后"), stream.sendLag),
            ].map { name, quantiles in
                let values = [
                    quantiles.min, quantiles.p50, quantiles.p90, quantiles.p99, quantiles.p999,
                    quantiles.max,
                ]
                return ["\(stream.stream)", "\(name)"]
                    + values.map { "\($0.map(Shown.latency) ?? "–")" as Markup }
            }
        }
        var out: Markup = "<h4>\(language("Streams", "流"))</h4>"
        out += table(
            language("Operations", "操作"),
            [
                .text(language("Stream", "流")), .number(language("intended", "计划")),
                .number("ok"), .number(language("failed", "失败")),
                .number(language("indeterminate", "不确定")), .number(language("unsent", "未发出")),
                .number(language("success during fault", "故障期间成功率")),
                .number(language("after", "复原后")),
                .number(language("overall", "全程")),
            ], counts)
        out += table(
            language(
                "Latency: corrected counts from the intended instant, naive from sending",
                "延迟：校正值自计划时刻起算，未校正值自发出起算"),
            [
                .text(language("Stream", "流")), .text(""), .number(language("least", "最小")),
                .number("p50"), .number("p90"), .number("p99"), .number("p99.9"),
                .number(language("most", "最大")),
            ], latencies)
        return out + perStream(trial) + outages(trial)
    }

    /// What each stream alone saw of each step; with one stream it is what the step's own table says.
    private func perStream(_ trial: TrialReport) -> Markup {
        guard trial.streams.count > 1 else { return .none }
        let rows = trial.streams.flatMap { stream in
            stream.steps.map { step -> [Markup] in
                [
                    "\(stream.stream)", "\(step.step)", "\(Shown.measure(step.rto, language))",
                    "\(Shown.interval(step.rto) ?? "")", "\(Shown.measure(step.outage, language))",
                    "\(Shown.measure(step.brownout, language))",
                    "\(step.successRate.map { Shown.percent($0) } ?? "–")",
                    "\(step.recoveredBy ?? "–")",
                ]
            }
        }
        guard !rows.isEmpty else { return .none }
        return table(
            language("What each stream saw of each step", "各流所见的各步骤"),
            [
                .text(language("Stream", "流")), .text(language("Step", "步骤")), .number("RTO"),
                .number(language("Interval", "区间")),
                .number(language("longest outage", "最长中断")),
                .number(language("brown-out", "降级时长")),
                .number(language("success", "成功率")), .text(language("recovered by", "恢复者")),
            ], rows)
    }

    private func outages(_ trial: TrialReport) -> Markup {
        let rows = trial.streams.flatMap { stream in
            stream.outages.map { outage -> [Markup] in
                var length = language("open, at least ", "未结束，至少 ") + Shown.duration(outage.low)
                if let high = outage.high {
                    let measure = Measure.measured(high, low: outage.low, high: high)
                    length =
                        Shown.measure(measure) + (Shown.interval(measure).map { " " + $0 } ?? "")
                }
                let kind =
                    outage.kind == "total" ? language("total", "完全") : language("partial", "部分")
                return [
                    "\(stream.stream)", "\(Shown.fixed(outage.t1 / 1000, 3)) s",
                    "\(outage.t5.map { Shown.fixed($0 / 1000, 3) + " s" } ?? "–")", "\(length)",
                    "\(kind)", "\(Shown.count(outage.bad))", "\(Shown.count(outage.sent))",
                    "\(outage.chargedTo.joined(separator: ", "))",
                ]
            }
        }
        guard !rows.isEmpty else {
            return "<p class=\"muted\">\(language("No outage.", "没有中断。"))</p>"
        }
        return table(
            language("Outages", "中断"),
            [
                .text(language("Stream", "流")), .number(language("from (t1)", "起 (t1)")),
                .number(language("to (t5)", "止 (t5)")), .number(language("Length", "时长")),
                .text(language("Kind", "类型")), .number(language("bad", "失败")),
                .number(language("sent", "发出")), .text(language("charged to", "归因于")),
            ], rows)
    }

    private func remarks(_ trial: TrialReport) -> Markup {
        let brain = trial.splitBrain
        var lines = [
            language("ended: \(trial.end ?? "cut off")", "结束：\(trial.end ?? "中途中断")"),
            language("role changes: \(trial.roleChanges)", "角色变更：\(trial.roleChanges)"),
            language("in flight at t0: \(trial.inFlight)", "t0 时在途：\(trial.inFlight)"),
        ]
        if let environment = trial.environment {
            let word =
                environment.proven
                ? language("environment proven: ", "环境已证实：")
                : language("environment not proven: ", "环境未证实：")
            lines.append(word + environment.witnesses.joined(separator: "; "))
        }
        if let lag = trial.lagMax {
            lines.append(
                language("largest lag of the load engine: ", "负载引擎最大滞后：") + Shown.latency(lag))
        }
        if let wait = trial.poolWait, wait > 0 {
            lines.append(
                language("longest wait for a connection: ", "等待连接最长：") + Shown.latency(wait))
        }
        if trial.unsentGenerator > 0 {
            lines.append(
                language(
                    "not sent by our own host: \(trial.unsentGenerator)",
                    "本机未能发出：\(trial.unsentGenerator)"))
        }
        if brain.seen == true, let atLeast = brain.atLeast {
            let most = brain.atMost.map { "–" + Shown.duration($0) } ?? ""
            lines.append(language("split brain: ", "脑裂：") + Shown.duration(atLeast) + most)
        }
        if let overlap = brain.handoverOverlap {
            lines.append(language("overlap in the handover: ", "交接重叠：") + Shown.duration(overlap))
        }
        if brain.latentClaim {
            lines.append(
                language("a host out of reach kept the role (latent claim)", "不可达主机仍持有角色（潜在主张）"))
        }
        if let reason = brain.reason { lines.append(reason) }
        return "<p class=\"muted\">\(lines.joined(separator: " · "))</p>"
    }
}
