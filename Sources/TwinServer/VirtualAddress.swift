import CLinux
import DrillNetlink
import Glibc

/// The address that clients use, on whichever host is primary.
final class VirtualAddress {
    private let netlink: NetlinkSocket
    private let index: InterfaceIndex
    private let address: String
    private let frame: [UInt8]
    private let packets: Int32
    /// In network order.
    let raw: UInt32
    private(set) var isHeld = false

    init(_ address: String, on interface: InterfaceName) throws {
        guard let parsed = IPv4Address(address) else {
            throw RecordLog.Failure(text: "'\(address)' is no IPv4 address")
        }
        let netlink = try NetlinkSocket()
        let index = try netlink.link(named: interface).index
        var hardware = [UInt8](repeating: 0, count: 6)
        let found = clinux_hardware_address(interface.rawValue, &hardware)
        let packets = clinux_packet_socket(interface.rawValue, ARPFrame.etherType)
        guard found == 0, packets >= 0 else {
            throw RecordLog.Failure(text: "no packet socket on \(interface): is this root?")
        }
        let own = (0..<4).map { UInt8(truncatingIfNeeded: parsed.rawValue >> (24 - 8 * $0)) }
        self.address = address
        raw = parsed.rawValue.bigEndian
        // Gratuitous: about oneself, to all.
        frame =
            ARPFrame(operation: .request, senderHardware: hardware, sender: own, target: own)
            .bytes
        self.netlink = netlink
        self.index = index
        self.packets = packets
    }

    deinit { close(packets) }

    func take() throws {
        // A /32 is nobody's primary address: neither is it chosen for connections of this host, nor does the kernel
        // take other addresses away with it.
        do {
            try netlink.addAddress(index, address, 32)
        } catch  where error.errno == EEXIST {}
        isHeld = true
        announce()
    }

    func release() throws {
        isHeld = false
        do {
            try netlink.deleteAddress(index, address, 32)
        } catch  where error.errno == EADDRNOTAVAIL {}
    }

    func announce() { _ = clinux_send_frame(packets, frame, frame.count) }
}
