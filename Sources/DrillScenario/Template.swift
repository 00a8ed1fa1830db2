/// `{{name}}` in a text: no logic, no escaping. `{{{{` is a literal `{{`.
package struct Template: Sendable {
    package struct Problem: Error, Hashable, Sendable {
        /// In Unicode scalars from the start of the text.
        package var offset: Int
        package var message: String
        package var hint: String?
    }

    enum Piece: Sendable {
        case literal(String)
        case name(String, offset: Int)
    }

    let pieces: [Piece]
    let problems: [Problem]

    init(_ text: String) {
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var problems: [Problem] = []
        var literal = String.UnicodeScalarView()
        var index = 0
        func isOpening(_ at: Int) -> Bool {
            at + 1 < scalars.count && scalars[at] == "{" && scalars[at + 1] == "{"
        }
        while index < scalars.count {
            guard isOpening(index) else {
                literal.append(scalars[index])
                index += 1
                continue
            }
            if isOpening(index + 2) {
                literal.append(contentsOf: "{{".unicodeScalars)
                index += 4
                continue
            }
            var end = index + 2
            while end < scalars.count, scalars[end] != "}", scalars[end] != "\n",
                scalars[end] != "{"
            {
                end += 1
            }
            guard end + 1 < scalars.count, scalars[end] == "}", scalars[end + 1] == "}" else {
                problems.append(
                    Problem(
                        offset: index, message: "'{{' is never closed",
                        hint: "write {{name}}, or '{{{{' for two braces as they are"))
                literal.append(contentsOf: scalars[index..<end])
                index = end
                continue
            }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[(index + 2)..<end].filter { $0 != " " && $0 != "\t" })
            if !literal.isEmpty { pieces.append(.literal(String(literal))) }
            literal = String.UnicodeScalarView()
            pieces.append(.name(String(view), offset: index))
            index = end + 2
        }
        if !literal.isEmpty { pieces.append(.literal(String(literal))) }
        self.pieces = pieces
        self.problems = problems
    }

    /// The text with every name replaced; an unknown one is a problem and stays as it is.
    func render(
        _ value: (String) -> Result<String, ScopeError>
    ) -> (text: String, problems: [Problem]) {
        var text = ""
        var problems = problems
        for piece in pieces {
            switch piece {
            case .literal(let literal): text += literal
            case .name(let name, let offset):
                switch value(name) {
                case .success(let replacement): text += replacement
                case .failure(let error):
                    text += "{{\(name)}}"
                    problems.append(
                        Problem(offset: offset, message: error.message, hint: error.hint))
                }
            }
        }
        return (text, problems)
    }
}
