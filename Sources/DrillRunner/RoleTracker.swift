internal import DrillCore

/// Who holds the primary role, as far as the lab's events tell.
struct RoleTracker: Hashable, Sendable {
    private(set) var holders: Set<HostName> = []
    /// When `holders` changed last.
    private(set) var changedAt: RunInstant?
    /// The one that was `primary` last.
    private(set) var lastPrimary: HostName?
    let roles: Roles?

    init(_ roles: Roles?) { self.roles = roles }

    /// The one holder; nil while there is none or more than one.
    var primary: HostName? { holders.count == 1 ? holders.first : nil }

    var standby: HostName? {
        guard let primary else { return nil }
        return roles?.among.first { $0 != primary }
    }

    func role(of host: HostName) -> Role? {
        guard let roles, roles.among.contains(host) else { return nil }
        return holders.contains(host) ? .primary : .standby
    }

    /// True when the host newly acquired the role.
    mutating func observe(_ host: HostName, primary: Bool, at now: RunInstant) -> Bool {
        guard roles?.among.contains(host) == true, holders.contains(host) != primary else {
            return false
        }
        if primary { holders.insert(host) } else { holders.remove(host) }
        changedAt = now
        if let only = self.primary { lastPrimary = only }
        return primary
    }

    /// The host is gone; what it held, it holds no more as far as choosing hosts goes.
    mutating func forget(_ host: HostName, at now: RunInstant) {
        guard holders.remove(host) != nil else { return }
        changedAt = now
        // Of two that held it the other is left.
        if let only = primary { lastPrimary = only }
    }
}
