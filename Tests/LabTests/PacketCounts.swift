import DrillCore
import Testing

/// Raw frames of every kind that decides a failover, sent by each host and counted at each host.
struct PacketCounts {
    /// By receiver, then sender, then kind.
    private var counts: [HostName: [HostName: [String: Int]]] = [:]

    /// Sent of each kind to each other host, or once to all where the kind is not unicast.
    static let sent = 50

    /// How many of `kind` the receiver saw of the sender.
    func seen(_ kind: String, by receiver: HostName, of sender: HostName) -> Int {
        counts[receiver]?[sender]?[kind] ?? 0
    }

    /// Kinds: arp and ipv6 and vrrp to all; unicast; tcp/5432, reply/5432 (from that port), tcp/80 and udp/5432, unicast.
    static func measure(_ lab: TestLab) throws -> PacketCounts {
        let supervisor = lab.supervisor
        var hardware: [HostName: String] = [:]
        for host in TestLab.addresses.keys {
            hardware[host] = try supervisor.run(host, "/bin/cat", "/sys/class/net/eth0/address")
                .filter { !$0.isWhitespace }
        }
        let listeners = try TestLab.addresses.keys.sorted().map { host in
            (
                host,
                try supervisor.send(
                    .execute(host, ["python3", "-c", listen], timeout: .seconds(15)))
            )
        }
        try supervisor.listen(for: .milliseconds(700))
        for host in TestLab.addresses.keys.sorted() {
            let others = TestLab.addresses.keys.filter { $0 != host }.sorted().flatMap {
                [hardware[$0] ?? "", TestLab.addresses[$0] ?? ""]
            }
            try supervisor.ask(
                .execute(
                    host,
                    ["python3", "-c", send, "\(sent)", TestLab.addresses[host] ?? ""] + others,
                    timeout: .seconds(10)))
        }
        var result = PacketCounts()
        for (receiver, id) in listeners {
            let reply = try supervisor.reply(to: id)
            try #require(reply.status == 0, "\(reply.output ?? "")")
            for line in (reply.output ?? "").split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count == 3, let count = Int(fields[2]),
                    let sender = hardware.first(where: { $0.value == fields[0] })?.key
                else { continue }
                result.counts[receiver, default: [:]][sender, default: [:]][String(fields[1])] =
                    count
            }
        }
        return result
    }

    private static let send = """
        import socket, struct, sys, time
        count, own = int(sys.argv[1]), socket.inet_aton(sys.argv[2])
        others = [(bytes.fromhex(sys.argv[i].replace(':', '')), socket.inet_aton(sys.argv[i + 1]))
                  for i in range(3, len(sys.argv), 2)]
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(('eth0', 0))
        mac = open('/sys/class/net/eth0/address').read().strip()
        mac = bytes.fromhex(mac.replace(':', ''))
        def checksum(data):
            total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
            total = (total & 0xffff) + (total >> 16)
            return ~(total + (total >> 16)) & 0xffff
        def v4(protocol, target, payload):
            head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 255, protocol, 0)
            head += own + target
            return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload
        def tcp(source, target):
            return struct.pack('!HHIIBBHHH', source, target, 7, 0, 0x50, 4, 0, 0, 0) + b'firedrill-test'
        for _ in range(count):
            s.send(b'\\xff' * 6 + mac + b'\\x08\\x06' + struct.pack('!HHBBH', 1, 0x800, 6, 4, 2)
                   + mac + own + b'\\x00' * 6 + own)
            group = socket.inet_aton('224.0.0.18')
            s.send(bytes.fromhex('01005e000012') + mac + b'\\x08\\x00'
                   + v4(112, group, bytes.fromhex('31ff00000000') + b'\\x00\\x00'))
            s.send(bytes.fromhex('333300000001') + mac + b'\\x86\\xdd' + struct.pack('!IHBB', 6 << 28, 8, 59, 1)
                   + bytes.fromhex('fe80' + '00' * 13 + '01') + bytes.fromhex('ff02' + '00' * 13 + '01')
                   + b'firedril')
            for target, address in others:
                for protocol, payload in [
                        (17, struct.pack('!HHHH', 7001, 7777, 8, 0)), (6, tcp(7001, 5432)),
                        (6, tcp(5432, 7001)), (6, tcp(7001, 80)),
                        (17, struct.pack('!HHHH', 7001, 5432, 8, 0))]:
                    s.send(target + mac + b'\\x08\\x00' + v4(protocol, address, payload))
            time.sleep(0.002)
        """

    private static let listen = """
        import socket, struct, time
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind(('eth0', 0))
        s.settimeout(0.2)
        own = open('/sys/class/net/eth0/address').read().strip()
        counts, last = {}, time.monotonic() + 4
        while time.monotonic() < last:
            try:
                f = s.recv(2048)
            except socket.timeout:
                continue
            mac = ':'.join('%02x' % b for b in f[6:12])
            if mac == own:
                continue
            kind = None
            if f[12:14] == b'\\x08\\x06' and f[20:22] == b'\\x00\\x02':
                kind = 'arp'
            elif f[12:14] == b'\\x86\\xdd' and f[20] == 59:
                kind = 'ipv6'
            elif f[12:14] == b'\\x08\\x00' and f[23] == 112:
                kind = 'vrrp'
            elif f[12:14] == b'\\x08\\x00' and f[23] in (6, 17):
                a, b = struct.unpack('!HH', f[34:38])
                name = 'tcp' if f[23] == 6 else 'udp'
                kind = {('udp', 7001, 7777): 'unicast', ('tcp', 7001, 5432): 'tcp/5432',
                        ('tcp', 5432, 7001): 'reply/5432', ('tcp', 7001, 80): 'tcp/80',
                        ('udp', 7001, 5432): 'udp/5432'}.get((name, a, b))
            if kind:
                counts[mac, kind] = counts.get((mac, kind), 0) + 1
        for (mac, kind), count in counts.items():
            print(mac, kind, count)
        """
}
