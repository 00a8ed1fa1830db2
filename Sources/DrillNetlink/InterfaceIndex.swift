/// The kernel's number of a link, good in one network namespace.
package struct InterfaceIndex: RawRepresentable, Hashable, Comparable, Sendable,
    CustomStringConvertible
{
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    package var description: String { "\(rawValue)" }
}
