/// An address came or went.
package struct AddressChange: Hashable, Sendable, CustomStringConvertible {
    package let index: InterfaceIndex
    package let address: String
    package let prefixLength: Int
    package let present: Bool

    package init(index: InterfaceIndex, address: String, prefixLength: Int, present: Bool) {
        self.index = index
        self.address = address
        self.prefixLength = prefixLength
        self.present = present
    }

    package var description: String {
        "\(address)/\(prefixLength) \(present ? "came to" : "went from") link \(index)"
    }
}
