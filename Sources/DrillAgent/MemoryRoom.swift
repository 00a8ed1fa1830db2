import DrillCore

/// How much memory a machine has and can still give, in bytes.
package struct MemoryRoom: Hashable, Sendable {
    package var total: Int64
    package var available: Int64

    package init(total: Int64, available: Int64) {
        self.total = total
        self.available = available
    }

    /// From the text of /proc/meminfo; nil where it says neither.
    package init?(meminfo: String) {
        func bytes(_ name: String) -> Int64? {
            for line in meminfo.split(separator: "\n") where line.hasPrefix(name + ":") {
                let words = line.split(separator: " ")
                return words.count > 1 ? Int64(words[1]).map { $0 * 1024 } : nil
            }
            return nil
        }
        guard let total = bytes("MemTotal"), let available = bytes("MemAvailable") else {
            return nil
        }
        self.init(total: total, available: available)
    }

    /// Of the machine, and of the container that holds this process where that has less.
    static func now() throws(LabFailure) -> MemoryRoom {
        guard let machine = MemoryRoom(meminfo: try Files.read("/proc/meminfo")) else {
            throw LabFailure(kind: .failed, message: "/proc/meminfo does not say what is available")
        }
        return containers().reduce(machine) { least, container in
            container.available < least.available ? container : least
        }
    }

    /// The cgroups with a limit that hold this process, as far as they can be seen from here.
    private static func containers() -> [MemoryRoom] {
        guard let own = try? Files.read("/proc/self/cgroup") else { return [] }
        var rooms: [MemoryRoom] = []
        for line in own.split(separator: "\n") {
            let parts = line.split(
                separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let base: String
            let names: (limit: String, used: String)
            if parts[1].isEmpty, let root = try? Cgroup.root().path {
                base = root
                names = ("memory.max", "memory.current")
            } else if parts[1].split(separator: ",").contains("memory") {
                base = "/sys/fs/cgroup/memory"
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
            } else {
                continue
            }
            var path = base
            for part in [""] + parts[2].split(separator: "/").map({ "/" + $0 }) {
                path += part
                func number(_ name: String) -> Int64? {
                    guard let text = try? Files.read("\(path)/\(name)") else { return nil }
                    return text.split(separator: "\n").first.flatMap { Int64($0) }
                }
                // Without a limit it says `max`, or a number that no machine has.
                guard let limit = number(names.limit), limit < 1 << 60,
                    let used = number(names.used)
                else { continue }
                rooms.append(
                    MemoryRoom(total: limit, available: limit - used + cache(in: path)))
            }
        }
        return rooms
    }

    /// Pages of files that nobody used lately: they count as used, and can be given.
    private static func cache(in path: String) -> Int64 {
        guard let text = try? Files.read(path + "/memory.stat") else { return 0 }
        for name in ["total_inactive_file ", "inactive_file "] {
            for line in text.split(separator: "\n") where line.hasPrefix(name) {
                return Int64(line.dropFirst(name.count)) ?? 0
            }
        }
        return 0
    }

    /// What stays available whatever a fault takes: a tenth of all.
    package var reserve: Int64 { total / 10 }

    /// Nil: that much may be taken. Else why not.
    package func refusal(of bytes: Int64) -> String? {
        guard available - bytes < reserve else { return nil }
        return
            "\(ByteCount.text(bytes)) of memory would leave \(ByteCount.text(max(0, available - bytes))) of \(ByteCount.text(total)); a tenth of it stays free (\(ByteCount.text(max(0, available - reserve))) can be taken)"
    }
}

/// Bytes for people: three digits, decimal units.
package enum ByteCount {
    package static func text(_ bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        if unit == 0 { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        let isWhole = tenths % 10 == 0 || value >= 99.95
        return isWhole
            ? "\(Int(value.rounded())) \(units[unit])"
            : "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}

/// Shares and counts in sentences.
package enum Figure {
    /// `81.0 %` of 0.81.
    package static func percent(_ share: Double) -> String { "\(decimal(share * 100, 1)) %" }

    /// Rounded, with exactly that many decimals.
    package static func decimal(_ value: Double, _ places: Int) -> String {
        var factor = 1.0
        for _ in 0..<places { factor *= 10 }
        let scaled = Int64((abs(value) * factor).rounded())
        let whole = scaled / Int64(factor)
        let rest = String(scaled % Int64(factor))
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(String(repeating: "0", count: places - rest.count))\(rest)"
    }
}
