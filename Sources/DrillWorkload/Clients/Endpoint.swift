import CLinux

/// A numeric address and a port.
struct Endpoint {
    private(set) var address: clinux_endpoint
    let port: UInt16

    /// `10.77.0.10:80`, `[fd00::1]:80`; without a port, `defaultPort` where there is one.
    init(_ text: Substring, defaultPort: UInt16? = nil) throws(ClientParameterError) {
        var host = text
        var port: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else {
                throw ClientParameterError("'\(text)': the bracket is not closed")
            }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            if rest.first == ":" { port = rest.dropFirst() }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let number = port.map { UInt16($0) } ?? defaultPort
        guard let number, number > 0 else {
            throw ClientParameterError(
                "'\(text)' needs a port from 1 to 65535, as in 10.77.0.10:80")
        }
        try self.init(host: String(host), port: number)
    }

    init(host: String, port: UInt16) throws(ClientParameterError) {
        address = clinux_endpoint()
        self.port = port
        guard clinux_endpoint_parse(host, port, &address) == 0 else {
            throw ClientParameterError(
                "'\(host)' is not a numeric address: looking a name up could block")
        }
    }
}
