/// Every client, one line each.
package enum ClientCatalog {
    package static let all: [ClientDescription] = [
        HTTPClient.description,
        TCPClient.description,
    ]

    package static func named(_ name: String) -> ClientDescription? {
        all.first { $0.name == name }
    }
}
