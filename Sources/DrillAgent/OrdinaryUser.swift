import CLinux
import DrillCore
import Glibc

/// A user without the machine's privileges, who is root of a user namespace of his own and of nothing else.
enum OrdinaryUser {
    /// Outside; nil: this process has the machine's privileges, or those of a container with users of its own.
    static let number: uid_t? = {
        guard geteuid() == 0 else { return geteuid() }
        return onlyUser(in: (try? Files.read("/proc/self/uid_map")) ?? "")
    }()

    /// The user outside where the text of /proc/self/uid_map has root alone.
    static func onlyUser(in map: String) -> uid_t? {
        let fields = map.split { $0 == " " || $0 == "\n" }.map(String.init)
        return fields.count == 3 && fields[0] == "0" && fields[2] == "1" ? uid_t(fields[1]) : nil
    }

    static var isThis: Bool { number != nil }

    /// Makes this process root of a user namespace where it is not root already. Only before it has a second thread.
    static func becomeNamespaceRoot() throws(LabFailure) {
        guard geteuid() != 0 else { return }
        _ = number
        var step: UnsafePointer<CChar>?
        let result = clinux_become_namespace_root(&step)
        if result < 0 {
            throw namespaceFailure(step.map { String(cString: $0) } ?? "", -result)
        }
    }

    /// What the kernel refused, and how it is made to allow it.
    static func namespaceFailure(_ what: String, _ number: Int32) -> LabFailure {
        let failure = systemFailure(what, number)
        return LabFailure(
            kind: .capability,
            message: failure.message + "; " + remedy(number) { try? Files.read($0) },
            errno: number)
    }

    /// - Parameter read: the text of a file under /proc/sys; nil where there is none.
    static func remedy(_ number: Int32, read: (String) -> String?) -> String {
        func value(_ name: String) -> String? {
            let path = "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
            return read(path).map { String($0.filter { $0 != "\n" }) }
        }
        let asRoot = "or run as root"
        if value("user.max_user_namespaces") == "0" {
            return "allow user namespaces: sysctl -w user.max_user_namespaces=15000, \(asRoot)"
        }
        if value("kernel.unprivileged_userns_clone") == "0" {
            return
                "allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1, \(asRoot)"
        }
        if value("kernel.apparmor_restrict_unprivileged_userns") == "1" {
            return "AppArmor restricts user namespaces:"
                + " sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, \(asRoot)"
        }
        if number == ENOSPC {
            return "too many namespaces: raise user.max_user_namespaces and"
                + " user.max_net_namespaces (sysctl), \(asRoot)"
        }
        return "run as root; in a container, with --privileged"
    }
}
