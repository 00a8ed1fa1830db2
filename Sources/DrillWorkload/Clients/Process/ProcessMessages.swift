import DrillCore

/// What the program is asked, one line.
struct ProcessRequest: Encodable, Equatable {
    enum Operation: String, Encodable { case read, write, cas }

    var id: Int
    var op: Operation
    var key: String
    /// Of a write; of a cas, the new one.
    var value: String?
    /// Of a cas: set only where the key holds this; nil: where it holds nothing.
    var old: String?
    /// How long the answer may take from now on.
    var deadline_ms: Int64
    /// `fresh`: over a connection of its own; `kept`: over the one before, where that still stands.
    var connection: String
    /// The address of the only server that may be asked; nil: where clients go.
    var server: String?

    init(
        id: Int, _ operation: Operation, key: String, value: String? = nil, old: String? = nil,
        within time: Duration, lane: Lane, server: String? = nil
    ) {
        self.id = id
        op = operation
        self.key = key
        self.value = value
        self.old = old
        deadline_ms = max(1, Int64(time.milliseconds))
        connection = lane.rawValue
        self.server = server
    }

    init(_ request: ClientRequest, id: Int, key: String, within time: Duration, lane: Lane) {
        if let entry = request.entry {
            self.init(
                id: id, .write, key: entry.key, value: entry.value, within: time, lane: lane)
        } else if let register = request.register {
            switch register.action {
            case .read: self.init(id: id, .read, key: register.key, within: time, lane: lane)
            case .write(let value):
                self.init(
                    id: id, .write, key: register.key, value: value, within: time, lane: lane)
            case .compareAndSet(let old, let new):
                self.init(
                    id: id, .cas, key: register.key, value: new, old: old, within: time,
                    lane: lane)
            }
        } else {
            self.init(id: id, .read, key: key, within: time, lane: lane)
        }
    }

    /// With the newline.
    var line: [UInt8] {
        // A value of texts and numbers always has a spelling.
        guard let text = try? JSONLine.encode(self) else { return [] }
        return Array(text.utf8) + [10]
    }
}

/// What it answers, one line.
struct ProcessAnswer: Decodable, Equatable {
    enum Outcome: String, Decodable {
        case ok
        /// For certain: nothing was written.
        case refused
        /// It may have been written or not.
        case unknown
    }

    var id: Int
    var outcome: Outcome
    /// Of a read: what is there; nil: nothing.
    var value: String?
    /// Of a cas: whether it set the value.
    var set: Bool?
    /// Who answered, and which start of it.
    var host: String?

    /// Nil: it is none to that request.
    init?(line: some Collection<UInt8>, to id: Int) {
        do {
            self = try JSONLine.decode(
                ProcessAnswer.self, from: String(decoding: line, as: UTF8.self))
        } catch {
            return nil
        }
        guard self.id == id else { return nil }
    }

    var answer: ClientAnswer {
        switch outcome {
        case .ok: .ok
        case .refused: .refused
        case .unknown: .broken
        }
    }

    /// Nil where it does not say what was asked.
    func registerAnswer(_ action: RegisterAction) -> RegisterAnswer? {
        switch action {
        case .read: .value(value)
        case .write: .written
        case .compareAndSet: set.map { .compared(didSet: $0) }
        }
    }
}
