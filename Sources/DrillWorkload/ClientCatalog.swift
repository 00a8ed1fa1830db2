package import DrillCore

/// Every client, one line each.
package enum ClientCatalog {
    package static let kinds: [any Client.Type] = [
        HTTPClient.self,
        TCPClient.self,
        PostgresClient.self,
    ]

    package static let all: [ClientDescription] = kinds.map { $0.description }

    package static func named(_ name: String) -> ClientDescription? {
        all.first { $0.name == name }
    }

    /// The client that a stream of a load plan asks for.
    package static func client(for stream: LoadStream) throws(ClientParameterError) -> any Client {
        guard let kind = kinds.first(where: { $0.description.name == stream.client }) else {
            let known = all.map(\.name).joined(separator: ", ")
            throw ClientParameterError("no client '\(stream.client)'; there are: \(known)")
        }
        return try kind.init(parameters: stream.parameters, lane: stream.lane)
    }
}
