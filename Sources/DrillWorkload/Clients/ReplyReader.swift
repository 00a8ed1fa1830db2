/// Recognises the end of a reply in bytes that come in any pieces.
package protocol ReplyReader {
    /// Before each reply.
    mutating func reset()
    mutating func consume(_ bytes: UnsafeRawBufferPointer) -> ReplyState
    /// The server has closed its side.
    mutating func end() -> ReplyState
    /// The name by which the answering host called itself; empty without one.
    func withHost<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
}

package enum ReplyState: Equatable {
    case incomplete
    /// `reusable`: the connection may carry another request.
    case complete(ClientAnswer, reusable: Bool)
    case malformed
}
