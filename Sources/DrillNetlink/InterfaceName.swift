/// A link's name: 1 to 15 bytes, without space, `/` and `:`, as the kernel demands.
package struct InterfaceName: Hashable, Comparable, Sendable, CustomStringConvertible,
    ExpressibleByStringLiteral
{
    package let rawValue: String

    /// nil when the kernel would refuse the name.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard
            (1...15).contains(bytes.count), text != ".", text != "..",
            bytes.allSatisfy({
                $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") && $0 != 0x7f
            })
        else { return nil }
        rawValue = text
    }

    package init(stringLiteral value: String) {
        guard let name = InterfaceName(value) else {
            preconditionFailure("\(value) cannot be a link's name")
        }
        self = name
    }

    /// A name that the kernel told us.
    init(fromKernel name: String) { rawValue = name }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var description: String { rawValue }
}
