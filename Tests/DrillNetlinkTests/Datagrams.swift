import DrillNetlink
import Glibc

/// A UDP socket inside a namespace.
struct Datagrams: ~Copyable {
    let fileDescriptor: Int32

    init(_ host: TestHost, port: UInt16 = 0, group: String? = nil) throws {
        try self.init(host.address, in: host.namespace, port: port, group: group)
    }

    /// Bound to the address, and a member of the group when one is given.
    init(
        _ address: String, in namespace: borrowing NetworkNamespace, port: UInt16 = 0,
        group: String? = nil
    ) throws {
        fileDescriptor = try namespace.run {
            let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var local = Self.address(group == nil ? address : "0.0.0.0", port)
            try check(
                withUnsafePointer(to: &local) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                })
            var interface = in_addr()
            inet_pton(AF_INET, address, &interface)
            let size = socklen_t(MemoryLayout<in_addr>.size)
            try check(setsockopt(fd, Int32(IPPROTO_IP), IP_MULTICAST_IF, &interface, size))
            if let group {
                var membership = ip_mreq()
                inet_pton(AF_INET, group, &membership.imr_multiaddr)
                membership.imr_interface = interface
                try check(
                    setsockopt(
                        fd, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, &membership,
                        socklen_t(MemoryLayout<ip_mreq>.size)))
            }
            return fd
        }
    }

    deinit { close(fileDescriptor) }

    var port: UInt16 {
        var local = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(fileDescriptor, $0, &length)
            }
        }
        return UInt16(bigEndian: local.sin_port)
    }

    func send(to address: String, port: UInt16, count: Int = 10) {
        var remote = Self.address(address, port)
        for _ in 0..<count {
            _ = withUnsafePointer(to: &remote) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        fileDescriptor, "firedrill", 9, 0, $0,
                        socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    /// Datagrams until `count` came or nothing came for `patience` milliseconds.
    func receive(count: Int = 10, patience: Int32 = 200) -> Int {
        var received = 0
        var byte: UInt8 = 0
        while received < count {
            var entry = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, patience) > 0 else { break }
            if recv(fileDescriptor, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 { received += 1 }
        }
        return received
    }

    static func address(_ text: String, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        return address
    }
}

struct SystemError: Error {
    let errno: Int32
}

func check(_ result: Int32) throws {
    if result < 0 { throw SystemError(errno: errno) }
}
