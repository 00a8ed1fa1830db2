import DrillWorkload
import Glibc

/// The folder of a real server that a test starts on loopback.
struct ServerFolder: Sendable {
    let path: String

    /// - Parameter user: who owns it when the tests run as root, and as whom the server then runs: not every server does as
    ///   root.
    init(_ name: String, user: String? = nil) throws {
        var template = Array("/tmp/firedrill-\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LoadTrialError("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let user, getuid() == 0 else { return }
        guard let entry = getpwnam(user),
            chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0
        else { throw LoadTrialError("no user \(user)") }
    }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen("\(path)/\(name)", "w") else { throw LoadTrialError("fopen") }
        fputs(text, file)
        fclose(file)
        chmod("\(path)/\(name)", 0o644)
    }

    func remove() {
        if let remover = try? ChildProcess("rm", ["-rf", path]) { _ = remover.wait() }
    }

    /// It was free a moment ago.
    static func freePort() -> UInt16 {
        let server = ScriptedServer(serve: nil)
        server.stop()
        return server.port
    }
}
