import CLinux
import DrillCore
import DrillNetlink
import Glibc

/// What is sent from a to b to see how good the way is.
extension LinkBenchLab {
    /// A throw inside a visited namespace has lost its type.
    private func visit<Value>(
        _ namespace: borrowing NetworkNamespace, _ body: () throws -> Value
    ) throws(LabFailure) -> Value {
        do {
            return try namespace.run(body)
        } catch let failure as LabFailure {
            throw failure
        } catch {
            throw LabFailure(kind: .failed, message: "\(error)")
        }
    }

    private func connected(_ type: __socket_type, _ port: UInt16) throws -> Descriptor {
        let socket = try LinkBenchPeer.socket(type, 0)
        let place = LinkBenchPeer.address(Self.target, port)
        if LinkBenchPeer.withAddress(place, { connect(socket.number, $0, $1) }) < 0 {
            throw systemFailure("connect to b")
        }
        return socket
    }

    /// Round trips of datagrams, one after another, in rising order.
    func roundTrips(_ count: Int) throws(LabFailure) -> [Duration] {
        let trips = try visit(a) { () -> [Duration] in
            _ = clinux_realtime(5)
            let socket = try connected(SOCK_DGRAM, LinkBenchPeer.echoPort)
            var buffer = [UInt8](repeating: 0, count: 64)
            return (0..<count).map { _ in
                let sent = RunInstant.now
                send(socket.number, buffer, buffer.count, 0)
                var entry = clinux_poll(descriptor: socket.number, asked: Int16(POLLIN), seen: 0)
                _ = clinux_ppoll(&entry, 1, 1_000_000_000)
                _ = recv(socket.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                return .now - sent
            }
        }
        return trips.sorted()
    }

    /// Times from a to b of datagrams at a steady pace, in rising order. One thread sends and receives: one clock, and
    /// no other process between the frame's arrival and its stamp.
    func oneWay(_ count: Int, every gap: Duration) throws(LabFailure) -> [Duration] {
        let port: UInt16 = 5004
        let receiver = try visit(b) { try LinkBenchPeer.socket(SOCK_DGRAM, port) }
        let times = try visit(a) { () -> [Duration] in
            _ = clinux_realtime(5)
            clinux_precise_timers()
            let sender = try connected(SOCK_DGRAM, port)
            var times: [Duration] = []
            let start = RunInstant.now + .milliseconds(10)
            var next = 0
            let end = start + gap * count + .milliseconds(500)
            while times.count < count, RunInstant.now < end {
                if next < count, RunInstant.now >= start + gap * next {
                    var stamp = RunInstant.now.nanoseconds
                    send(sender.number, &stamp, 22, 0)
                    next += 1
                    continue
                }
                var entry = clinux_poll(descriptor: receiver.number, asked: Int16(POLLIN), seen: 0)
                let deadline = next < count ? start + gap * next : end
                _ = clinux_ppoll(&entry, 1, max(0, (deadline - .now).nanoseconds))
                var stamp: Int64 = 0
                while recv(receiver.number, &stamp, 8, Int32(MSG_DONTWAIT)) > 0 {
                    times.append(.now - RunInstant(nanoseconds: stamp))
                }
            }
            return times
        }
        if times.count < count { throw LabFailure(kind: .failed, message: "datagrams were lost") }
        return times.sorted()
    }

    /// Frames of 64 bytes that arrive at b a second while a sends as many as it can.
    func packetsPerSecond(for duration: Duration) throws(LabFailure) -> Double {
        let socket = try visit(a) { try connected(SOCK_DGRAM, LinkBenchPeer.floodPort) }
        let payload = [UInt8](repeating: 0, count: 22)
        let before = try arrived()
        let start = RunInstant.now
        payload.withUnsafeBytes { bytes in
            let frame = clinux_frame(bytes: bytes.baseAddress, count: bytes.count)
            let batch = [clinux_frame](repeating: frame, count: Int(clinux_frame_batch))
            while RunInstant.now - start < duration {
                _ = clinux_send_frames(socket.number, batch, batch.count)
            }
        }
        let rate = Double(try arrived() - before) / (RunInstant.now - start).milliseconds * 1000
        return rate
    }

    private func arrived() throws(LabFailure) -> Int64 {
        try visit(b) {
            var counts = clinux_interface_counts()
            try checked(clinux_interface_counts("eth0", &counts), "count b's packets")
            return counts.received
        }
    }

    /// Of one TCP stream from a to b, its end included.
    func gigabitsPerSecond(for duration: Duration) throws(LabFailure) -> Double {
        let stream = try visit(a) { try connected(SOCK_STREAM, LinkBenchPeer.streamPort) }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let start = RunInstant.now
        var sent = 0
        while RunInstant.now - start < duration {
            let count = send(stream.number, buffer, buffer.count, Int32(MSG_NOSIGNAL))
            if count < 0 { throw systemFailure("send to b") }
            sent += count
        }
        shutdown(stream.number, Int32(SHUT_WR))
        _ = recv(stream.number, &buffer, 1, 0)
        return Double(sent) * 8 / 1e6 / (RunInstant.now - start).milliseconds
    }
}
