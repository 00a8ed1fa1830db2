import DrillCore
import Glibc

/// What programs of a lab find around them.
enum Surroundings {
    /// The environment of everything that runs in a host: little, and the same whoever started the run.
    static var environment: [String: String] {
        var path = (value("PATH") ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
        for folder in [
            "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
        ]
        where !path.contains(folder) {
            path.append(folder)
        }
        // `twin`, which is ours: no other program of that name stands before it.
        if let own = try? ownFolder(), !path.contains(own) { path.insert(own, at: 0) }
        var all = ["PATH": path.joined(separator: ":"), "LANG": "C.UTF-8", "HOME": "/root"]
        // Where the Swift runtime lies, for our own programs in a debug build.
        if let libraries = value("LD_LIBRARY_PATH") { all["LD_LIBRARY_PATH"] = libraries }
        // What a heal knows our processes by.
        if let run = value(OwnProcess.marker) { all[OwnProcess.marker] = run }
        return all
    }

    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The kernel takes others first when memory is short; where that is not allowed, it chooses. Children start anew.
    static func surviveMemoryShortage() {
        try? Files.set("/proc/self/oom_score_adj", to: "-1000")
    }

    /// The folder of this program; firedrill-load lies beside it.
    static func ownFolder() throws(LabFailure) -> String {
        let path = try Files.readLink("/proc/self/exe")
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
    }
}
