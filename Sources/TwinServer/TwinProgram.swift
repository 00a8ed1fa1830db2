import CLinux
import Glibc

/// `twin`.
package enum TwinProgram {
    package static func main() -> Never {
        signal(SIGPIPE, SIG_IGN)
        var arguments = CommandLine.arguments.dropFirst()
        do {
            switch arguments.popFirst() {
            case "node":
                let node = try TwinNode(try TwinOptions(Array(arguments)))
                try node.run()
            case "status":
                var flags = try Flags(arguments)
                let field = flags.take("get")
                exit(status(try ask(["INFO"], &flags), field))
            case "switchover":
                var flags = try Flags(arguments)
                let answer = try ask(["TWIN", "SWITCHOVER"], &flags)
                say(String(decoding: answer, as: UTF8.self))
                exit(answer.first == UInt8(ascii: "+") ? 0 : 1)
            case "--help", "-h", "help":
                say(TwinOptions.help)
                exit(0)
            case _:
                throw TwinOptions.Wrong(
                    text: "twin node | status | switchover; twin --help says more")
            }
        } catch let wrong as TwinOptions.Wrong {
            complain(wrong.text)
            exit(64)
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    private static func complain(_ text: String) {
        let line = Array("twin: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    /// One question to a node, at most a second; its whole answer.
    private static func ask(_ words: [String], _ flags: inout Flags) throws -> [UInt8] {
        let host = flags.take("host") ?? "127.0.0.1"
        let port = try flags.port("port") ?? 6379
        try flags.end()
        var endpoint = try Sockets.endpoint(host, port)
        var descriptor: Int32 = -1
        let error = clinux_tcp_open(&endpoint, &descriptor)
        guard error == 0 || error == EINPROGRESS else {
            errno = error
            throw RecordLog.Failure("\(host):\(port)")
        }
        let connection = Connection(descriptor)
        let deadline = clinux_monotonic_ns() + 1_000_000_000
        connection.send(Reply.array(words.map { Reply.bulk(Array($0.utf8)) }))
        while clinux_monotonic_ns() < deadline {
            var entry = clinux_poll(
                descriptor: descriptor, asked: Int16(connection.hasOutput ? POLLOUT : POLLIN),
                seen: 0)
            _ = clinux_ppoll(&entry, 1, 10_000_000)
            connection.flush()
            guard connection.receive() else { break }
            if let answer = Reply.whole(connection.input) { return answer }
        }
        throw RecordLog.Failure(text: "\(host):\(port): no answer")
    }

    private static func status(_ answer: [UInt8], _ field: String?) -> Int32 {
        let text = String(decoding: answer, as: UTF8.self)
        guard let field else {
            say(text)
            return 0
        }
        for line in text.split(whereSeparator: \.isNewline) {
            for name in [field, "twin_\(field)"] where line.hasPrefix("\(name):") {
                say(String(line.dropFirst(name.utf8.count + 1)))
                return 0
            }
        }
        complain("INFO has no field '\(field)'")
        return 1
    }
}
