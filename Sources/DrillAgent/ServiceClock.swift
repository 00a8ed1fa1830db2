import DrillCore
import Glibc

/// The clock of one service, as libfaketime shows it: loaded when the service starts, it reads its offset from a file
/// at each look at the clock.
struct ServiceClock: Sendable {
    let service: ServiceName
    /// As this process sees it. It goes with the host: who boots sets his clock.
    private let path: String
    private let inside: String

    @LabActor
    init(of service: ServiceName, on kernel: HostKernel) {
        self.service = service
        inside = "/run/.firedrill-clock-\(service)"
        path = kernel.outside(inside)
    }

    /// Where this machine has the library that takes part in programs with threads; nil: nowhere.
    static var library: String? {
        let names = ["libfaketimeMT.so.1", "libfaketime.so.1"]
        var folders = ["/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime"]
        folders += Files.list("/usr/lib").map { "/usr/lib/\($0)/faketime" }
        for name in names {
            for folder in folders where Files.exists("\(folder)/\(name)") {
                return "\(folder)/\(name)"
            }
        }
        return nil
    }

    static let missingLibrary =
        "libfaketime is not installed: apt install faketime (Debian, Ubuntu), dnf install libfaketime (Fedora, RHEL)"

    /// What a program must be started with.
    func environment() throws(LabFailure) -> [String: String] {
        guard let library = Self.library else {
            throw LabFailure(kind: .capability, message: Self.missingLibrary)
        }
        return [
            "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": inside,
            // Without it a change is seen ten seconds later.
            "FAKETIME_NO_CACHE": "1",
            // A wrong clock does not hasten timers. The name changed; both are known somewhere.
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            // Files that are there already do not get younger.
            "NO_FAKE_STAT": "1",
        ]
    }

    /// Before each start: a clock that was set wrong stays so over a restart.
    func prepare() throws(LabFailure) {
        if !Files.exists(path) { try write(.zero) }
    }

    func set(_ offset: Duration) throws(LabFailure) -> InstantInterval {
        guard Files.exists(path) else {
            throw LabFailure(
                kind: .failed,
                message: "service \(service) was not started with a clock that can be set")
        }
        let low = RunInstant.now
        try write(offset)
        return InstantInterval(low: low, high: .now)
    }

    /// What the file says now; nil: it is not there.
    func offset() -> Duration? {
        guard let text = try? Files.read(path), let seconds = Double(text.prefix { $0 != "\n" })
        else { return nil }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Atomically: a reader finds the old offset or the new one.
    private func write(_ offset: Duration) throws(LabFailure) {
        let fresh = path + ".new"
        try Files.write(
            "\(offset < .zero ? "" : "+")\(offset.spelledOffset)\n", to: fresh)
        chmod(fresh, 0o644)
        guard rename(fresh, path) == 0 else { throw systemFailure("set the clock \(path)") }
    }

    // MARK: who can be reached

    /// Whether what is started by these words loads a library before it; throws why not.
    ///
    /// - Parameters:
    ///   - root: in front of every path, so that they are the host's.
    ///   - folder: where the program is started.
    static func check(
        _ arguments: [String], search: String, root: String, folder: String, depth: Int = 0
    ) throws(LabFailure) {
        guard let name = arguments.first, depth < 4,
            let path = found(name, search: search, root: root, folder: folder)
        else { return }  // Its start says what is wrong.
        let bytes = try Descriptor.open(root + path, O_RDONLY).read(4096)
        if bytes.starts(with: Array("#!".utf8)) {
            let line = String(decoding: bytes.dropFirst(2).prefix { $0 != 0x0A }, as: UTF8.self)
            var words = line.split(separator: " ").map(String.init)
            // `#!/usr/bin/env python3`
            if words.count > 1, words[0].hasSuffix("/env") { words.removeFirst() }
            try check(words, search: search, root: root, folder: folder, depth: depth + 1)
            return
        }
        guard let image = ELFImage(bytes) else { return }
        guard image.isDynamic else {
            throw LabFailure(
                kind: .capability,
                message:
                    "\(path) is a static program, and libfaketime cannot reach its clock; use a dynamically linked one"
            )
        }
        if let library, let own = ELFImage(try Descriptor.open(library, O_RDONLY).read(4096)),
            own.machine != image.machine || own.is64Bit != image.is64Bit
        {
            throw LabFailure(
                kind: .capability,
                message:
                    "\(path) is a program of another architecture than \(library); install libfaketime for it"
            )
        }
    }

    /// As exec finds it.
    private static func found(
        _ name: String, search: String, root: String, folder: String
    ) -> String? {
        if name.hasPrefix("/") { return name }
        if name.contains("/") { return "\(folder)/\(name)" }
        return search.split(separator: ":").map { "\($0)/\(name)" }.first {
            access(root + $0, X_OK) == 0
        }
    }
}

extension Duration {
    /// As the clock's file keeps it.
    var spelledOffset: String { Figure.decimal(Double(nanoseconds) / 1e9, 6) }
}

extension LabSupervisor {
    /// What cannot be reached is refused before it is started.
    func prepareClock(of service: LabService, on host: LabHostState) throws(LabFailure) {
        let instance = service.instance
        guard instance.preparations.contains(.clock) else { return }
        do throws(LabFailure) {
            let clock = ServiceClock(of: service.name, on: host.kernel)
            _ = try clock.environment()
            try ServiceClock.check(
                instance.run,
                search: instance.environment["PATH"] ?? Surroundings.environment["PATH"] ?? "",
                root: host.kernel.outside(""), folder: instance.directory)
            try clock.prepare()
        } catch {
            throw LabFailure(
                kind: error.kind,
                message: "clock.skew of service \(service.name): \(error.message)",
                errno: error.errno)
        }
    }
}
