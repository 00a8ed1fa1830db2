/// What a drill may need of the machine that its lab is built on.
package enum LabCapability: String, Hashable, Sendable, Codable, CaseIterable {
    /// Without namespaces of its own there is no lab.
    case namespaces
    /// Users other than root in the hosts.
    case users
    /// Delay, loss and the like on a link: netem, or a TUN device for the emulator.
    case impairment
    /// A limit on the bytes a second that services read and write.
    case diskLimits = "disk_limits"
    /// libfaketime, by which a service sees another clock.
    case skewedClocks = "skewed_clocks"
    /// A control group of its own. A drill does without: processes are killed and stopped one by one, and have no limits.
    case cgroups
    /// Real-time priority. A drill does without, and is measured less sharply.
    case realtime
}

/// What of it is lacking; known, and told with the greeting, before anything is built.
package struct LabCapabilities: Hashable, Sendable {
    /// Each with why, and what to do; a sentence without an end. What is not named is there.
    package var lacking: [LabCapability: String]

    package init(lacking: [LabCapability: String] = [:]) { self.lacking = lacking }

    private static let prefix = "lacks."

    /// From the `detail` of the reply to `hello`; others' keys are left alone.
    package init(detail: [String: String]) {
        lacking = [:]
        for (key, sentence) in detail where key.hasPrefix(Self.prefix) {
            guard let capability = LabCapability(rawValue: String(key.dropFirst(6))) else {
                continue
            }
            lacking[capability] = sentence
        }
    }

    package var detail: [String: String] {
        var detail: [String: String] = [:]
        for (capability, sentence) in lacking {
            detail[Self.prefix + capability.rawValue] = sentence
        }
        return detail
    }
}
