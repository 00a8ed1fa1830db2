import DrillCore

/// What the registers showed.
extension HTMLReport {
    var consistencyCard: Markup {
        let name = language("Linearizable", "线性一致")
        switch headline.consistency {
        case .none: return .none
        case .always:
            return card(
                name, "\(language("always", "始终"))",
                [language("one register could have shown all of it", "单个寄存器即可解释全部观察")])
        case .unknown(let reason):
            return card(
                name, "<span class=\"v-open\">? \(language("unknown", "未知"))</span>",
                [reason].compactMap { $0 })
        case .violated(let staleReads, let lostUpdates):
            let expected = record.scenario.expectations.contains {
                $0.metric == "linearizable" && $0.condition == .seen
            }
            let style: Markup = expected ? "v-open" : "v-fail"
            var sub = [
                language("stale reads: \(staleReads)", "过期读取：\(staleReads)"),
                language("lost updates: \(lostUpdates)", "丢失更新：\(lostUpdates)"),
            ]
            if expected { sub.append(language("as expected", "符合预期")) }
            return card(
                name, "<span class=\"\(style)\">✗ \(language("violated", "被违反"))</span>", sub)
        }
    }

    func consistency(_ trial: TrialReport) -> Markup {
        guard let found = trial.consistency else { return .none }
        let word: Markup
        switch found.linearizable {
        case true?: word = "\(language("linearizable", "线性一致"))"
        case false?:
            word = "<span class=\"v-fail\">\(language("not linearizable", "非线性一致"))</span>"
        case nil: word = "<span class=\"v-open\">\(language("unknown", "未知"))</span>"
        }
        func number(_ value: Int?) -> String { value.map(Shown.count) ?? "–" }
        let facts = [
            language(
                "operations: \(Shown.count(found.operations))",
                "操作：\(Shown.count(found.operations))"),
            language("registers: \(found.keys)", "寄存器：\(found.keys)"),
            language(
                "stale reads: \(number(found.staleReads))", "过期读取：\(number(found.staleReads))"),
            language(
                "lost updates: \(number(found.lostUpdates))",
                "丢失更新：\(number(found.lostUpdates))"),
        ]
        let why: Markup = found.reason.map { " (\(reason($0)))" } ?? .none
        return
            "<h4>\(language("Registers", "寄存器"))</h4><p>\(word)\(why) <small>\(facts.joined(separator: " · "))</small></p>"
    }

    /// The shortest stretch that no register could show; among the trial's pictures, since it is the proof of the verdict.
    func windowPicture(_ trial: TrialReport) -> Markup {
        guard let window = trial.consistency?.window else { return .none }
        let caption =
            window.start.map { start in
                language(
                    "No register that starts with \(start) could show this (key \(window.key))",
                    "初始值为 \(start) 的寄存器无法给出这样的结果（键 \(window.key)）")
            }
            ?? language(
                "No register could show this, whatever it held before (key \(window.key))",
                "无论此前为何值，单个寄存器都无法给出这样的结果（键 \(window.key)）")
        let label = language("Trial \(trial.index): \(caption)", "试验 \(trial.index)：\(caption)")
        return
            "<figure><figcaption>\(caption)</figcaption><div class=\"scroll\">\(WindowDrawing.draw(window, label: label))</div></figure>\n"
            + operations(window)
    }

    private func operations(_ window: ConsistencyWindow) -> Markup {
        let rows = window.operations.map { operation -> [Markup] in
            [
                "\(operation.row + 1)", "<code>\(operation.action)</code>",
                "\(Shown.fixed(operation.invoked, 3))",
                "\(operation.completed.map { Shown.fixed($0, 3) } ?? language("never answered", "未获应答"))",
                "\(operation.host ?? "–")",
            ]
        }
        let omitted: Markup =
            window.omitted == 0
            ? .none
            : "<p class=\"muted\">\(language("\(window.omitted) more between the first and the last are not listed.", "首尾之间另有 \(window.omitted) 项未列出。"))</p>"
        return table(
            nil,
            [
                .number(language("Row", "行")), .text(language("Operation", "操作")),
                .number(language("From, ms", "开始（毫秒）")),
                .number(language("To, ms", "结束（毫秒）")),
                .text(language("Answered by", "应答者")),
            ], rows) + omitted
    }
}
