import DrillCore

/// HTML or SVG text. Literals stand as they are; an interpolated `String` is escaped, always, so that no name and no
/// log line can become markup; only `Markup` goes in unescaped.
struct Markup: ExpressibleByStringInterpolation, Sendable {
    var text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    static let none: Markup = ""

    static func + (left: Markup, right: Markup) -> Markup { "\(left)\(right)" }
    static func += (left: inout Markup, right: Markup) { left.text += right.text }

    struct StringInterpolation: StringInterpolationProtocol {
        var text: String

        init(literalCapacity: Int, interpolationCount: Int) {
            text = ""
            text.reserveCapacity(literalCapacity + interpolationCount * 8)
        }
        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ plain: String) { text += PlainText.markup(plain) }
        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        mutating func appendInterpolation(_ parts: [Markup]) {
            for part in parts { text += part.text }
        }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        /// A coordinate: a tenth of a unit is less than anybody sees.
        mutating func appendInterpolation(_ coordinate: Double) {
            text += JSONTree.decimal(coordinate, 1)
        }
    }
}
