package import DrillCore

/// Every client, one line each.
package enum ClientCatalog {
    package static let kinds: [any Client.Type] = [
        HTTPClient.self,
        TCPClient.self,
        RedisClient.self,
        PostgresClient.self,
        EtcdClient.self,
        MySQLClient.self,
        ProcessClient.self,
    ]

    package static let all: [ClientDescription] = kinds.map { $0.description }

    package static func named(_ name: String) -> ClientDescription? {
        all.first { $0.name == name }
    }

    /// The client that a stream of a load plan asks for.
    package static func client(for stream: LoadStream) throws(ClientParameterError) -> any Client {
        let kind = try kind(stream.client)
        try check(stream.parameters, kind.description)
        return try kind.init(parameters: stream.parameters, lane: stream.lane)
    }

    /// A client of a store, for sessions. Without an endpoint only servers by themselves can be asked.
    static func store(
        _ name: String, _ parameters: [String: String], isEndpointNeeded: Bool
    ) throws(LoadError) -> any StoreClient {
        do throws(ClientParameterError) {
            let kind = try kind(name)
            if isEndpointNeeded { try check(parameters, kind.description) }
            if let store = try kind.init(parameters: parameters, lane: .kept) as? any StoreClient {
                return store
            }
            throw ClientParameterError("client \(name) is of no store: it cannot be read back")
        } catch {
            throw .client(error.description)
        }
    }

    private static func kind(_ name: String) throws(ClientParameterError) -> any Client.Type {
        if let kind = kinds.first(where: { $0.description.name == name }) { return kind }
        let known = all.map(\.name).joined(separator: ", ")
        throw ClientParameterError("no client '\(name)'; there are: \(known)")
    }

    /// One of the alternatives is given, and that whole.
    private static func check(
        _ parameters: [String: String], _ client: ClientDescription
    ) throws(ClientParameterError) {
        let isGiven = { (name: String) in parameters[name].map { !$0.isEmpty } ?? false }
        let begun = client.alternatives.filter { $0.contains(where: isGiven) }
        if client.alternatives.isEmpty || begun.count == 1 && begun[0].allSatisfy(isGiven) {
            return
        }
        throw ClientParameterError("client \(client.name) needs \(client.choice)")
    }
}
