/// How many questions were asked of an address, and how many were answered.
struct ReachCounts: Hashable, Sendable, Codable {
    var arpAsked = 0
    var arpAnswered = 0
    var tcpAsked = 0
    /// A connection, or a reset: both are a living kernel.
    var tcpAnswered = 0

    var detail: [String: String] {
        [
            "asked": "\(arpAsked + tcpAsked)", "answered": "\(arpAnswered + tcpAnswered)",
            "arp_asked": "\(arpAsked)", "arp_answered": "\(arpAnswered)",
            "tcp_asked": "\(tcpAsked)", "tcp_answered": "\(tcpAnswered)",
        ]
    }
}
