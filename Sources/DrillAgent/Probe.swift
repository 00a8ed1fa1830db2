import CLinux
import DrillCore
import Glibc

/// `probe …`: what is asked from inside a host. Runs in the host's namespaces, started by host-init.
enum Probe {
    static func main(_ arguments: [String]) -> Int32 {
        do throws(LabFailure) {
            switch arguments.first {
            case "reach":
                guard arguments.count == 3, let milliseconds = Int64(arguments[2]) else {
                    return 64
                }
                var probe = try ReachProbe(arguments[1])
                let counts = try probe.run(for: .milliseconds(milliseconds))
                print((try? JSONLine.encode(counts)) ?? "")
            case "meet":
                guard arguments.count >= 3, let milliseconds = Int64(arguments[1]) else {
                    return 64
                }
                return try meet(arguments.dropFirst(2), within: .milliseconds(milliseconds))
            case "tcp":
                guard arguments.count >= 2, let port = UInt16(arguments[1]) else { return 64 }
                return tcp(port, ["127.0.0.1"] + arguments.dropFirst(2))
            case "http":
                guard arguments.count == 2 else { return 64 }
                return try HTTPProbe.get(arguments[1])
            case "disk":
                guard arguments.count == 3, let milliseconds = Int64(arguments[2]) else {
                    return 64
                }
                try DiskProbe.run(in: arguments[1], for: .milliseconds(milliseconds))
            case "serve":
                guard arguments.count == 2, let port = UInt16(arguments[1]) else { return 64 }
                try EchoServer.run(port)
            default: return 64
            }
            return 0
        } catch {
            print(error.message)
            return 1
        }
    }

    /// Until each of the addresses has answered an ARP request; prints those that did not.
    private static func meet(
        _ addresses: ArraySlice<String>, within limit: Duration
    ) throws(LabFailure) -> Int32 {
        let deadline = RunInstant.now + limit
        var missing: [String] = []
        for address in addresses {
            var probe = try ReachProbe(address)
            if try !probe.isAnswered(before: deadline) { missing.append(address) }
        }
        if missing.isEmpty { return 0 }
        print(missing.joined(separator: ", "))
        return 1
    }

    private static func tcp(_ port: UInt16, _ addresses: [String]) -> Int32 {
        var last = ""
        for address in addresses {
            do throws(LabFailure) {
                let connection = try TCPConnection(address, port)
                if try connection.wait(until: .now + .milliseconds(500)) == .connected { return 0 }
                last = "no answer on \(address):\(port)"
            } catch {
                last = error.message
            }
        }
        print(last)
        return 1
    }
}
