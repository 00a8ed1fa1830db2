/// What an operation of a register workload does to its key.
package enum RegisterAction: Hashable, Sendable {
    case read
    case write(String)
    /// Sets the second value where the register holds the first one; nil: where it holds nothing.
    case compareAndSet(String?, String)
}

/// What its answer says.
package enum RegisterAnswer: Hashable, Sendable {
    /// A read: what the register holds; nil: nothing.
    case value(String?)
    case written
    /// A compare-and-set that found another value is an answered one: the service is there.
    case compared(didSet: Bool)
}

/// The `value` of a register's operation in the operations file: of a read what was seen, of a write what was written,
/// of a compare-and-set `OLD>NEW`, or `OLD!>NEW` where it found another value. Empty is nothing, on every side.
package struct RegisterText: Hashable, Sendable {
    package var action: RegisterAction
    /// Nil: not answered.
    package var answer: RegisterAnswer?

    package init(action: RegisterAction, answer: RegisterAnswer?) {
        self.action = action
        self.answer = answer
    }

    package var text: String? {
        switch action {
        case .read:
            if case .value(let seen) = answer { return seen }
            return nil
        case .write(let value): return value
        case .compareAndSet(let old, let new):
            let found = answer == .compared(didSet: false) ? "!>" : ">"
            return (old ?? "") + found + new
        }
    }

    /// - Parameter isAnswered: the operation's outcome is ok.
    package init(kind: OperationKind, text: String?, isAnswered: Bool) {
        switch kind {
        case .read:
            action = .read
            answer = isAnswered ? .value(text) : nil
        case .write:
            let text = text ?? ""
            guard let mark = text.lastIndex(of: ">") else {
                action = .write(text)
                answer = isAnswered ? .written : nil
                return
            }
            var old = text[..<mark]
            let isOther = old.last == "!"
            if isOther { old.removeLast() }
            action = .compareAndSet(
                old.isEmpty ? nil : String(old), String(text[text.index(after: mark)...]))
            answer = isAnswered ? .compared(didSet: !isOther) : nil
        }
    }
}
