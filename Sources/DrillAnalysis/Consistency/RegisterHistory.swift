/// What was done to some registers, and when: the input of the checkers.
///
/// Values are small numbers, so that a checker compares and hashes nothing else; `values` has their texts.
package struct RegisterHistory: Hashable, Sendable {
    /// The value of a register that holds nothing.
    package static let absent: Int32 = -1

    /// What each register holds before its first operation.
    package var initial = absent
    package private(set) var operations: [RegisterOperation] = []
    package private(set) var keys: [String] = []
    package private(set) var values: [String] = []
    private var keyIndex: [String: Int32] = [:]
    private var valueIndex: [String: Int32] = [:]
    private var processNames: [String] = []
    private var processIndex: [String: Int32] = [:]

    package init() {}

    package mutating func key(_ text: String) -> Int32 { Self.intern(text, &keys, &keyIndex) }

    /// Nil is the absent value.
    package mutating func value(_ text: String?) -> Int32 {
        guard let text else { return Self.absent }
        return Self.intern(text, &values, &valueIndex)
    }

    package func text(of value: Int32) -> String {
        value == Self.absent ? "nil" : values[Int(value)]
    }

    /// Numbers stand for themselves; what has another name is below zero.
    package mutating func process(_ text: String) -> Int {
        if let number = Int(text), number >= 0, String(number) == text { return number }
        return -1 - Int(Self.intern(text, &processNames, &processIndex))
    }

    package func name(ofProcess process: Int) -> String {
        let index = -1 - process
        return processNames.indices.contains(index) ? processNames[index] : String(process)
    }

    package mutating func append(_ operation: RegisterOperation) { operations.append(operation) }

    /// The operations on each key, in the order of `keys`: a history is linearizable exactly when each key's part is
    /// (Herlihy and Wing 1990, theorem 1: locality).
    package var byKey: [[RegisterOperation]] {
        var parts = Array(repeating: [RegisterOperation](), count: keys.count)
        for operation in operations { parts[Int(operation.key)].append(operation) }
        return parts
    }

    private static func intern(
        _ text: String, _ texts: inout [String], _ index: inout [String: Int32]
    ) -> Int32 {
        if let known = index[text] { return known }
        let new = Int32(texts.count)
        texts.append(text)
        index[text] = new
        return new
    }
}

/// One operation that took effect, or may have. What definitely did not take effect is in no history.
package struct RegisterOperation: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// Saw this value.
        case read(Int32)
        case write(Int32)
        /// Set the second value where the first one was.
        case compareAndSet(Int32, Int32)
    }

    /// Who asked: one client asks one thing at a time.
    package var process: Int
    package var key: Int32
    package var action: Action
    /// When it was sent, and when its answer came, in nanoseconds. Its effect lies between them, ends included.
    package var invoked: Int64
    /// Nil: nobody knows whether it took effect, and it may do so at any time after `invoked`.
    package var completed: Int64?
    /// What the answering server calls itself, where that is known.
    package var host: String?

    package init(
        process: Int, key: Int32, action: Action, invoked: Int64, completed: Int64?,
        host: String? = nil
    ) {
        self.process = process
        self.key = key
        self.action = action
        self.invoked = invoked
        self.completed = completed
        self.host = host
    }
}
