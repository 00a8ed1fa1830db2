import DrillCore

/// What the answers so far said of a workload's registers; all its streams share it.
final class RegisterBook {
    /// Few, so that operations meet on them; several, so that one may be held up and the others are seen to go on.
    static let count = 5

    let keys: [String]
    /// What each holds as far as is known: the newest that was read or acknowledged.
    var values: [String?]

    init(prefix: String) {
        keys = (0..<Self.count).map { prefix + String($0) }
        values = Array(repeating: nil, count: Self.count)
    }
}

/// What the operations of one stream of a register workload ask, and what they were told.
///
/// Each lane takes the registers in a seeded order of its own, and a read that of the lane's write before it: what is
/// stale is asked for while it is. Writes and compare-and-sets alternate, and no value is ever given to two of them:
/// a value that is read says which one it comes from.
struct RegisterStream {
    private let book: RegisterBook
    private let kind: OperationKind
    /// Before the number of a write in its value.
    private let letter: Substring
    private let seed: UInt64
    /// Of the operations that were handed to a connection and are not yet in the file.
    private var notes: [Int: (register: Int, text: RegisterText)] = [:]

    init(_ book: RegisterBook, _ stream: LoadStream, seed: UInt64) {
        self.book = book
        kind = stream.kind
        letter = stream.lane.rawValue.prefix(1)
        // Lanes in step would always meet on one register, and the one that connects first would always come late.
        var random = SeededGenerator(seed: seed, stream: stream.lane == .fresh ? 1 : 2)
        self.seed = random.next()
    }

    mutating func request(_ number: Int) -> RegisterRequest {
        let register = register(of: kind == .read ? number - 1 : number)
        let action: RegisterAction
        switch kind {
        case .read: action = .read
        case .write:
            let value = "\(letter)\(number)"
            action =
                number.isMultiple(of: 2)
                ? .compareAndSet(book.values[register], value) : .write(value)
        }
        notes[number] = (register, RegisterText(action: action, answer: nil))
        return RegisterRequest(key: book.keys[register], action: action)
    }

    mutating func answered(_ number: Int, _ answer: RegisterAnswer) {
        guard let note = notes[number] else { return }
        notes[number]?.text.answer = answer
        switch (answer, note.text.action) {
        case (.value(let seen), _): book.values[note.register] = seen
        case (.written, .write(let new)), (.compared(didSet: true), .compareAndSet(_, let new)):
            book.values[note.register] = new
        // Another value is there, and not which one.
        case (.compared, _), (.written, _): break
        }
    }

    /// What the file keeps of an operation; nothing of one that no connection ever had.
    mutating func record(_ number: Int) -> (key: String, value: String?)? {
        notes.removeValue(forKey: number).map { (book.keys[$0.register], $0.text.text) }
    }

    private func register(of number: Int) -> Int {
        var random = SeededGenerator(seed: seed, stream: UInt64(truncatingIfNeeded: number))
        return Int(random.next() % UInt64(RegisterBook.count))
    }
}
