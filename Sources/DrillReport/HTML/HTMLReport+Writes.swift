import DrillCore

/// What became of acknowledged writes.
extension HTMLReport {
    var lossCard: Markup {
        let name = language("Acknowledged writes lost", "丢失的已确认写入")
        switch headline.losses {
        case .none: return .none
        case .nothing(let upTo):
            let sub = upTo.map {
                language("RPO 0, at most ", "RPO 0，至多 ") + Shown.duration($0)
            }
            return card(name, "0", [sub].compactMap { $0 })
        case .unknown(let reason):
            return card(
                name, "<span class=\"v-open\">? \(language("unknown", "未知"))</span>",
                [reason].compactMap { $0 })
        case .lost(let count, let acknowledged, let rpo, let all):
            let isPromised = report.expectations.contains {
                $0.metric == "rpo_writes" && $0.verdict == .fail
            }
            let style: Markup = isPromised ? "v-fail" : "v-open"
            var sub: [String] = []
            if let rpo {
                sub.append(
                    "RPO " + Shown.measure(rpo, language)
                        + (Shown.interval(rpo).map { " " + $0 } ?? ""))
            }
            sub.append(
                language(
                    "of \(Shown.count(acknowledged)) acknowledged, worst trial",
                    "共确认 \(Shown.count(acknowledged)) 次，最差一次试验"))
            if !all { sub.append(language("not all were read back", "未能全部回读")) }
            let least = all ? "" : "≥ "
            return card(
                name, "<span class=\"\(style)\">\(least)\(Shown.count(count))</span>", sub)
        }
    }

    /// `lost 198 (RPO 2.01 s)`, for the line of a trial.
    func lossFact(_ trial: TrialReport) -> String? {
        switch trial.rpoWrites.status {
        case .notApplicable: return nil
        case .unknown, .censored: return language("RPO unknown", "RPO 未知")
        case .measured:
            let count = Int(trial.rpoWrites.value ?? 0)
            guard count > 0 else { return language("0 writes lost", "无写入丢失") }
            let noun = count == 1 ? "write" : "writes"
            let rpo =
                trial.rpo.status == .measured ? " (RPO \(Shown.measure(trial.rpo, language)))" : ""
            return language("lost \(Shown.count(count)) \(noun)", "丢失 \(Shown.count(count)) 次写入")
                + rpo
        }
    }

    func writesPicture(_ trial: TrialReport, _ marks: LedgerMarks?, _ history: History?) -> Markup {
        guard let marks, let history else { return .none }
        let caption = language("Acknowledged writes", "已确认的写入")
        let label = language("Trial \(trial.index): \(caption)", "试验 \(trial.index)：\(caption)")
        let draw = { (width: Double) in
            WritesPicture.draw(trial, marks, history, width: width, label: label, language)
        }
        guard let wide = draw(TimelinePicture.wide), let narrow = draw(TimelinePicture.narrow)
        else { return .none }
        return "<figure><figcaption>\(caption)</figcaption>\(wide)\(narrow)</figure>\n"
    }

    func writes(_ trial: TrialReport) -> Markup {
        guard let writes = trial.writes else { return .none }
        func number(_ value: Int?) -> Markup { "\(value.map(Shown.count) ?? "–")" }
        func row(_ name: String, _ value: Markup, _ meaning: String) -> [Markup] {
            ["\(name)", value, "\(meaning)"]
        }
        var rows: [[Markup]] = [
            row(language("acknowledged", "已确认"), number(writes.acknowledged), ""),
            row(
                language("lost", "丢失"), number(writes.lost),
                language("missing when all was read back at the end", "最后回读时缺失")),
            row(
                language("lost at the failover", "切换时丢失"), number(writes.lostAtFailover),
                language("missing on the new primary, before the heal", "复原前在新主上缺失")),
            row(
                language("lost by the failback", "回切时丢失"), number(writes.lostByFailback),
                language("there before the heal, missing at the end", "复原前存在，最后缺失")),
            row(
                language("resurrected", "复活"), number(writes.resurrected),
                language("missing before the heal, there at the end", "复原前缺失，最后存在")),
            row(
                language("divergent", "分叉"), number(writes.divergent),
                writes.divergence.map {
                    language("lost, acknowledged after the fault, over ", "丢失且在故障后确认，跨度 ")
                        + Shown.duration($0)
                } ?? language("lost, acknowledged after the fault", "丢失且在故障后确认")),
            row(
                language("indeterminate", "不确定"), number(writes.indeterminate),
                language(
                    "may be there or not: \(writes.indeterminatePresent.map(Shown.count) ?? "–") are",
                    "可存在也可不存在：存在 \(writes.indeterminatePresent.map(Shown.count) ?? "–")")),
            row(
                language("refused, and there", "被拒绝却存在"), number(writes.failedPresent),
                language("a phantom, or a refusal that was none", "幻影写入，或并非真正的拒绝")),
            row(
                language("not read back", "未回读"), number(writes.unread),
                language("acknowledged; nobody knows", "已确认；结果未知")),
        ]
        func measure(_ name: String, _ measure: Measure) {
            guard measure.status != .notApplicable else { return }
            let shown = measure.status == .unknown ? "–" : Shown.measure(measure, language)
            let interval = Shown.interval(measure).map { " " + $0 } ?? ""
            rows.append(
                ["\(name)", "\(shown)\(interval)", measure.reason.map { reason($0) } ?? .none])
        }
        measure("RPO", trial.rpo)
        measure(language("replication lag, largest", "最大复制延迟"), trial.replicationLag)
        var notes: [String] = []
        if let pattern = trial.lossPattern {
            notes.append(
                pattern == "scattered"
                    ? language(
                        "loss pattern: scattered, later ones survived", "丢失模式：零散，其后的写入仍在")
                    : language(
                        "loss pattern: tail, everything from some instant on", "丢失模式：尾部，自某时刻起全部丢失"))
        }
        switch writes.diverged {
        case true?: notes.append(language("the hosts differ at the end (diverged)", "最后各主机数据不一致"))
        case false?: notes.append(language("the hosts agree at the end", "最后各主机数据一致"))
        case nil: break
        }
        if let verify = trial.verify {
            let sweeps = verify.sweeps.map(String.init).joined(separator: ", ")
            notes.append(
                language("sweeps made: \(sweeps)", "回读轮次：\(sweeps)")
                    + language("; asked: ", "；询问：") + verify.hosts.joined(separator: ", "))
            if let level = verify.readLevel {
                notes.append(language("read level: ", "读取级别：") + level)
            }
        }
        return "<h4>\(language("Writes", "写入"))</h4>"
            + table(
                nil,
                [
                    .text(language("Writes", "写入")), .number(language("Count", "数量")),
                    .text(language("Meaning", "含义")),
                ], rows) + "<p class=\"muted\">\(notes.joined(separator: " · "))</p>"
    }
}
