import DrillCore

/// What is done to a host, in words.
enum HostEffectText {
    static func of(_ stress: Stress) -> String {
        switch stress {
        case .cpu(let workers, let load):
            let share = EffectText.percent(load)
            return switch workers {
            case 0: "\(share) of each CPU"
            case 1: "\(share) of one CPU"
            case _: "\(share) of \(workers) CPUs"
            }
        case .memory(let size): return "\(bytes(size)) of memory"
        }
    }

    static func of(_ fill: DiskFill) -> String {
        switch fill.amount {
        case .bytes(let size): "\(bytes(size)) in \(fill.folder)"
        case .used(let share):
            "room until the file system of \(fill.folder) is \(EffectText.percent(share)) used"
        }
    }

    /// `90s ahead`
    static func of(_ offset: Duration) -> String {
        offset < .zero ? "\((.zero - offset).spelled) behind" : "\(offset.spelled) ahead"
    }

    /// In the largest decimal unit that leaves a whole number: as people write sizes.
    static func bytes(_ count: Int64) -> String {
        for (unit, size) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)]
            as [(String, Int64)]
        where count >= size && count % size == 0 {
            return "\(count / size) \(unit)"
        }
        return "\(count) B"
    }
}
