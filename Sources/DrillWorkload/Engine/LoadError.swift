package import DrillCore

/// Why a load plan could not be carried out; the text is for a person.
package enum LoadError: Error, Hashable, CustomStringConvertible {
    case plan(stream: String, reason: String)
    /// A client of a store that cannot be.
    case client(String)
    /// What a ledger or a register needs could not be made.
    case preparation(WorkloadOperation, stream: String, reason: String)
    case file(path: String, reason: String)
    case system(call: String, reason: String)

    package var description: String {
        switch self {
        case .plan(let stream, let reason): "stream \(stream): \(reason)"
        case .client(let reason): reason
        case .preparation(let operation, let stream, let reason):
            "stream \(stream): the \(operation.rawValue) could not be prepared: \(reason)"
        case .file(let path, let reason): "\(path): \(reason)"
        case .system(let call, let reason): "\(call): \(reason)"
        }
    }
}
