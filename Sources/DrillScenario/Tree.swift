/// A YAML document with the place of everything in it. Scalars are text, never anything else.
struct Tree: Sendable {
    var place: Place
    var content: Content

    indirect enum Content: Sendable {
        /// `quoted`: in quotes or a block; the text then begins after the quote.
        case scalar(String, quoted: Bool)
        case mapping([Entry])
        case sequence([Tree])
    }

    struct Entry: Sendable {
        var key: String
        var place: Place
        var value: Tree
    }

    init(_ place: Place, _ content: Content) {
        self.place = place
        self.content = content
    }

    init(text: String) {
        self.init(Place(file: ""), .scalar(text, quoted: true))
    }

    var entries: [Entry]? {
        guard case .mapping(let entries) = content else { return nil }
        return entries
    }

    var items: [Tree]? {
        guard case .sequence(let items) = content else { return nil }
        return items
    }

    /// The text as it is written, variables unreplaced.
    var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// `key:` with nothing behind it.
    var isAbsent: Bool {
        guard case .scalar("", quoted: false) = content else { return false }
        return true
    }

    subscript(_ key: String) -> Tree? { entries?.first { $0.key == key }?.value }

    var kindName: String {
        switch content {
        case .scalar: "a text"
        case .mapping: "a mapping"
        case .sequence: "a list"
        }
    }

    /// The tree with every scalar's text replaced; keys stay.
    func mapText(_ change: (String) -> String) -> Tree {
        switch content {
        case .scalar(let text, let quoted): Tree(place, .scalar(change(text), quoted: quoted))
        case .sequence(let items): Tree(place, .sequence(items.map { $0.mapText(change) }))
        case .mapping(let entries):
            Tree(
                place,
                .mapping(
                    entries.map {
                        Entry(key: $0.key, place: $0.place, value: $0.value.mapText(change))
                    }))
        }
    }

    /// The mapping with this key's value replaced, added at the end, or (nil) removed.
    func setting(_ key: String, _ value: Tree?) -> Tree {
        guard var entries else { return self }
        let index = entries.firstIndex { $0.key == key }
        switch (index, value) {
        case (let index?, let value?): entries[index].value = value
        case (let index?, nil): entries.remove(at: index)
        case (nil, let value?): entries.append(Entry(key: key, place: value.place, value: value))
        case (nil, nil): break
        }
        return Tree(place, .mapping(entries))
    }

    static func mapping(_ pairs: [(String, Tree)]) -> Tree {
        let nowhere = Place(file: "")
        return Tree(
            nowhere, .mapping(pairs.map { Entry(key: $0.0, place: nowhere, value: $0.1) }))
    }
}
