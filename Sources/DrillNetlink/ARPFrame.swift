/// Ethernet frames of the address resolution protocol (RFC 826), IPv4 over Ethernet.
package struct ARPFrame: Hashable, Sendable {
    package static let etherType: UInt16 = 0x0806

    package enum Operation: UInt8 { case request = 1, reply = 2 }

    package var operation: Operation
    /// Six bytes.
    package var senderHardware: [UInt8]
    /// Four bytes.
    package var sender: [UInt8]
    package var target: [UInt8]

    /// Broadcast, so that no neighbour table can answer in the target's place.
    package var bytes: [UInt8] {
        [UInt8](repeating: 0xff, count: 6) + senderHardware + [0x08, 0x06]
            + [0, 1, 0x08, 0, 6, 4, 0, operation.rawValue]
            + senderHardware + sender + [0, 0, 0, 0, 0, 0] + target
    }

    package init(operation: Operation, senderHardware: [UInt8], sender: [UInt8], target: [UInt8]) {
        self.operation = operation
        self.senderHardware = senderHardware
        self.sender = sender
        self.target = target
    }

    /// nil for what is no ARP frame of IPv4 over Ethernet.
    package init?(_ frame: some Collection<UInt8>) {
        let bytes = Array(frame)
        guard bytes.count >= 42, bytes[12...19].elementsEqual([0x08, 0x06, 0, 1, 0x08, 0, 6, 4]),
            bytes[20] == 0, let operation = Operation(rawValue: bytes[21])
        else { return nil }
        self.operation = operation
        senderHardware = Array(bytes[22..<28])
        sender = Array(bytes[28..<32])
        target = Array(bytes[38..<42])
    }
}
