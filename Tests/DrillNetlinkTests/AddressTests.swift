import DrillNetlink
import Glibc
import Testing

extension NetlinkTests {
    @Test func `addresses are added, listed and deleted`() throws {
        let socket = try NetlinkSocket(in: NetworkNamespace.create())
        let lo = try socket.link(named: "lo").index
        try socket.addAddress(lo, "10.77.0.11", 24)
        try socket.addAddress(lo, "fd00::11", 64)
        #expect(
            try socket.addresses().map(\.description).sorted() == [
                "10.77.0.11/24 on link 1", "fd00::11/64 on link 1",
            ])
        let again = #expect(throws: NetlinkError.self) {
            try socket.addAddress(lo, "10.77.0.11", 24)
        }
        #expect(again?.errno == EEXIST)
        try socket.deleteAddress(lo, "10.77.0.11", 24)
        try socket.deleteAddress(lo, "fd00::11", 64)
        #expect(try socket.addresses().isEmpty)
        let gone = #expect(throws: NetlinkError.self) {
            try socket.deleteAddress(lo, "10.77.0.11", 24)
        }
        #expect(gone?.errno == EADDRNOTAVAIL)
    }

    @Test(arguments: [("10.77.0", 24), ("10.77.0.11", 33), ("10.77.0.11", -1), ("b", 24)])
    func `what is no address is refused before the kernel is asked`(
        address: String, prefixLength: Int
    ) throws {
        let socket = try NetlinkSocket(in: NetworkNamespace.create())
        let error = #expect(throws: NetlinkError.self) {
            try socket.addAddress(InterfaceIndex(rawValue: 1), address, prefixLength)
        }
        #expect(error?.errno == EINVAL)
    }

    @Test func `the monitor hears addresses come and go`() throws {
        let namespace = try NetworkNamespace.create()
        let socket = try NetlinkSocket(in: namespace)
        let lo = try socket.link(named: "lo").index
        try socket.addAddress(lo, "10.77.0.11", 24)
        var monitor = try AddressMonitor(in: namespace)
        #expect(try monitor.read() == .changes([]))
        #expect(try monitor.dump() == [change(lo, "10.77.0.11", 24, true)])

        try socket.addAddress(lo, "10.77.0.100", 32)
        var entry = pollfd(fd: monitor.fileDescriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 1000) == 1)
        #expect(try monitor.read() == .changes([change(lo, "10.77.0.100", 32, true)]))
        try socket.deleteAddress(lo, "10.77.0.100", 32)
        #expect(try monitor.read() == .changes([change(lo, "10.77.0.100", 32, false)]))
        // The kernel announces an IPv6 address from a work queue.
        try socket.addAddress(lo, "fd00::100", 128)
        #expect(poll(&entry, 1, 1000) == 1)
        #expect(try monitor.read() == .changes([change(lo, "fd00::100", 128, true)]))

        // A notification that is queued is told before the fresh evidence, and by it.
        try socket.deleteAddress(lo, "10.77.0.11", 24)
        #expect(
            try monitor.dump() == [
                change(lo, "10.77.0.11", 24, false), change(lo, "fd00::100", 128, true),
            ])
        #expect(try monitor.read() == .changes([]))
    }

    @Test func `an overrun monitor says so, and the dump tells what was missed`() throws {
        let namespace = try NetworkNamespace.create()
        let socket = try NetlinkSocket(in: namespace)
        let lo = try socket.link(named: "lo").index
        try socket.addAddress(lo, "10.77.0.11", 24)
        var monitor = try AddressMonitor(in: namespace, receiveBuffer: 4096)
        _ = try monitor.dump()
        try socket.deleteAddress(lo, "10.77.0.11", 24)
        for host in 1...100 { try socket.addAddress(lo, "10.78.0.\(host)", 32) }
        #expect(try monitor.read() == .overrun)
        let dump = try monitor.dump()
        #expect(Set(dump.filter(\.present).map(\.address)).count == 100)
        #expect(dump.filter { !$0.present }.map(\.address).allSatisfy { $0 == "10.77.0.11" })
        #expect(try monitor.read() == .changes([]))
    }

    private func change(
        _ index: InterfaceIndex, _ address: String, _ prefixLength: Int, _ present: Bool
    ) -> AddressChange {
        AddressChange(
            index: index, address: address, prefixLength: prefixLength, present: present)
    }
}
