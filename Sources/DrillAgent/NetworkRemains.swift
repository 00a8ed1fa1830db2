import DrillCore
import DrillNetlink
import Glibc

/// What runs left in the network namespaces that can be reached: links that say so in their alias, and filters at our
/// preference that lead to one of those, or to nothing. Nothing else is ours, whatever it looks like.
///
/// Whether a run is dead is the caller's to know: he has its lock.
enum NetworkRemains {
    /// One namespace. It is kept open by its socket, so no longer than a look takes.
    private struct Place: ~Copyable {
        let name: String
        let socket: NetlinkSocket
        /// Another process of ours lives in it: a lab of another user or of a container, whose folder and lock cannot be
        /// seen from here.
        let hasAgent: Bool
    }

    struct Found {
        var links: [String] = []
        /// Some of them lie where an agent is at work.
        var isNearAgent = false
    }

    // MARK: what there is

    static func find() -> [RunID: Found] {
        var found: [RunID: Found] = [:]
        visit { place throws(NetlinkError) in
            for link in try place.socket.links() {
                guard let run = run(of: link) else { continue }
                found[run, default: Found()].links.append("link \(link.name) in \(place.name)")
                if place.hasAgent { found[run]?.isNearAgent = true }
            }
        }
        return found
    }

    /// Filters of ours whose device is gone, where no agent is at work: nobody's, and they swallow what they match.
    static func findLoose() -> [String] {
        var found: [String] = []
        visit { place throws(NetlinkError) in
            for loose in try loose(in: place) {
                found.append(
                    "\(loose.redirect.hook) filters of link \(loose.name) in \(place.name)")
            }
        }
        return found
    }

    // MARK: removing

    /// Of a dead run: the filters first, so that no packet meets a filter without its device.
    ///
    /// - Returns: what stays.
    static func remove(_ run: RunID) -> [String] {
        visit { place throws(NetlinkError) in
            let links = try place.socket.links()
            let ours = Set(links.filter { Self.run(of: $0) == run }.map(\.index))
            if ours.isEmpty { return }
            let redirects = try redirects(among: links, in: place) { ours.contains($0) }
            try place.socket.removeRedirects(redirects.map(\.installed))
            for index in ours.sorted() {
                do throws(NetlinkError) {
                    try place.socket.delete(index)
                } catch {
                    // The other end of a pair goes with the first, and all of it with its namespace.
                    if error.errno != ENODEV { throw error }
                }
            }
        }
    }

    /// - Returns: what was removed, and what stays.
    static func removeLoose() -> (removed: [String], left: [String]) {
        var removed: [String] = []
        let left = visit { place throws(NetlinkError) in
            for loose in try loose(in: place) {
                try place.socket.removeRedirects([loose.installed])
                removed.append(
                    "\(loose.redirect.hook) filters of link \(loose.name) in \(place.name)")
            }
        }
        return (removed, left)
    }

    // MARK: looking

    private struct Installed {
        let name: InterfaceName
        let redirect: Redirect
        let handles: [UInt32]

        var installed: InstalledRedirect { InstalledRedirect(redirect: redirect, handles: handles) }
    }

    private static func loose(in place: borrowing Place) throws(NetlinkError) -> [Installed] {
        if place.hasAgent { return [] }
        let links = try place.socket.links()
        let present = Set(links.map(\.index))
        return try redirects(among: links, in: place) { !present.contains($0) }
    }

    /// Those that have our preference and form, and lead to a device that is asked for.
    private static func redirects(
        among links: [Link], in place: borrowing Place, to isAsked: (InterfaceIndex) -> Bool
    ) throws(NetlinkError) -> [Installed] {
        var found: [Installed] = []
        for link in links {
            for hook in TrafficHook.allCases {
                var handles: [InterfaceIndex: [UInt32]] = [:]
                for filter in try place.socket.filters(link.index, hook)
                where filter.preference == hook.preference {
                    // TCA_EGRESS_REDIR and TC_ACT_STOLEN, the only ones that we set.
                    guard let actions = filter.rule?.actions, actions.count == 1,
                        case .mirred(let mirred) = actions[0], mirred.mode == 1,
                        mirred.verdict == 4, isAsked(mirred.sink)
                    else { continue }
                    handles[mirred.sink, default: []].append(filter.handle)
                }
                for (sink, handles) in handles.sorted(by: { $0.key < $1.key }) {
                    found.append(
                        Installed(
                            name: link.name,
                            redirect: Redirect(port: link.index, hook: hook, sink: sink),
                            handles: handles))
                }
            }
        }
        return found
    }

    /// `firedrill:RUN` on a device that was made, not plugged in.
    private static func run(of link: Link) -> RunID? {
        let prefix = "firedrill:"
        guard link.kind != nil, let alias = link.alias, alias.hasPrefix(prefix) else { return nil }
        let name = alias.dropFirst(prefix.count)
        guard !name.isEmpty, name != ".", name != "..",
            name.utf8.allSatisfy({ byte in
                "-_.".utf8.contains(byte) || (48...57).contains(byte)
                    || (97...122).contains(byte | 0x20)
            })
        else { return nil }
        return RunID(String(name))
    }

    /// Every network namespace that a process lives in or that has a name; one that goes meanwhile has nothing left.
    ///
    /// - Returns: what went wrong, with the namespace it went wrong in.
    @discardableResult
    private static func visit(_ body: (borrowing Place) throws(NetlinkError) -> Void) -> [String] {
        // His labs lie in namespaces that end with their processes, and he may change no other.
        if OrdinaryUser.isThis { return [] }
        var paths: [UInt64: String] = [:]
        var inhabited: Set<UInt64> = []
        func note(_ path: String) -> UInt64? {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            let number = UInt64(status.st_ino)
            if paths[number] == nil { paths[number] = path }
            return number
        }
        for pid in Files.list("/proc").compactMap({ pid_t($0) }) {
            guard let number = note("/proc/\(pid)/ns/net") else { continue }
            if pid != getpid(), isAgent(pid) { inhabited.insert(number) }
        }
        for name in Files.list("/run/netns") { _ = note("/run/netns/\(name)") }
        var failures: [String] = []
        for (number, path) in paths.sorted(by: { $0.key < $1.key }) {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { continue }
            let namespace = NetworkNamespace(owning: descriptor)
            // Of another user namespace that we have no rights in, or no namespace at all.
            guard let socket = try? NetlinkSocket(in: namespace) else { continue }
            let name = "net:[\(number)]"
            do throws(NetlinkError) {
                try body(Place(name: name, socket: socket, hasAgent: inhabited.contains(number)))
            } catch {
                failures.append("\(name): \(error)")
            }
        }
        return failures
    }

    private static func isAgent(_ pid: pid_t) -> Bool {
        guard let path = try? Files.readLink("/proc/\(pid)/exe") else { return false }
        return path.split(separator: "/").last?.hasPrefix("firedrill-agent") ?? false
    }
}
