internal import DrillCore

extension HistoryFile.Event {
    init(_ line: HistoryFile.JSONEvent) {
        process = line.process?.edn
        type = line.type.map(EDN.keyword)
        function = line.f.map(EDN.keyword)
        key = line.key?.edn
        value = line.value?.edn
    }
}

extension HistoryFile {
    /// One line of ours.
    struct JSONEvent: Decodable {
        var process: Value?
        var type: String?
        var f: String?
        var key: Value?
        var value: Value?

        enum CodingKeys: String, CodingKey { case process, type, f, key, value }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            process = try fields.decodeIfPresent(Value.self, forKey: .process)
            type = try fields.decodeIfPresent(String.self, forKey: .type)
            f = try fields.decodeIfPresent(String.self, forKey: .f)
            key = try fields.decodeIfPresent(Value.self, forKey: .key)
            // Null is a value, and without one it is a mistake.
            value =
                fields.contains(.value) ? try fields.decode(Value.self, forKey: .value) : nil
        }

        /// A number, a text, true or false, a list or an object of these, or null.
        enum Value: Decodable {
            case null
            case atom(String)
            case list([Value])
            case map([String: Value])

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if container.decodeNil() {
                    self = .null
                } else if let number = try? container.decode(Int64.self) {
                    self = .atom(String(number))
                } else if let number = try? container.decode(UInt64.self) {
                    self = .atom(String(number))
                } else if let text = try? container.decode(String.self) {
                    self = .atom(text)
                } else if let bool = try? container.decode(Bool.self) {
                    self = .atom(String(bool))
                } else if let number = try? container.decode(Double.self) {
                    // Beyond this two numbers that differ would be one.
                    guard number.magnitude < 0x1p53 else {
                        throw DecodingError.dataCorruptedError(
                            in: container, debugDescription: "\(number) is not exact")
                    }
                    self = .atom(String(number))
                } else if let values = try? container.decode([Value].self) {
                    self = .list(values)
                } else {
                    self = .map(try container.decode([String: Value].self))
                }
            }

            var edn: EDN {
                switch self {
                case .null: .null
                case .atom(let text): .atom(text)
                case .list(let values): .list(values.map(\.edn))
                case .map(let fields):
                    .map(
                        fields.sorted { $0.key < $1.key }.map {
                            EDN.Entry(key: .atom($0.key), value: $0.value.edn)
                        })
                }
            }
        }
    }

    /// A value that is spelled as in such a file; nil where the text is not one value.
    package static func value(_ text: String, in history: inout RegisterHistory) -> Int32? {
        let bytes = Array(text.utf8)
        var reader = EDNReader(bytes, 0..<bytes.count)
        guard let value = try? reader.next(), (try? reader.position()) == bytes.count else {
            return nil
        }
        return history.value(value == .null ? nil : value.spelled)
    }

    /// Pairs begins and ends.
    struct Builder {
        let name: String
        private var history = RegisterHistory()
        private var open: [Int: Call] = [:]
        private var now: Int64 = 0

        private struct Call {
            var function: String
            var key: String
            /// Nil for a read: its answer says what it saw.
            var action: RegisterOperation.Action?
            var invoked: Int64
        }

        init(name: String) { self.name = name }

        mutating func add(_ event: Event, line: Int, column: Int) throws(HistoryFileError) {
            func failure(_ reason: String) -> HistoryFileError {
                HistoryFileError(file: name, line: line, column: column, reason: reason)
            }
            let client: String
            switch event.process {
            case nil: throw failure("an operation needs 'process'")
            // The one that breaks things is no client.
            case .keyword?, .atom("nemesis")?: return
            case .atom(let text)?: client = text
            case .null?, .list?, .map?:
                throw failure(
                    "a process is a number or a name, not \(event.process?.spelled ?? "nil")")
            }
            guard let type = event.type?.word, let function = event.function?.word else {
                throw failure("an operation needs 'type' and 'f'")
            }
            guard ["read", "write", "cas"].contains(function) else {
                throw failure(
                    "'\(function)' is no operation of a register: read, write and cas are")
            }
            let process = history.process(client)
            now += 1
            switch type {
            case "invoke":
                guard open[process] == nil else {
                    throw failure(
                        "process \(client) begins an operation, and its last one has not ended")
                }
                let (key, value) = split(event, function)
                var action: RegisterOperation.Action?
                if function == "write" {
                    guard let value else { throw failure("a write needs its value") }
                    action = .write(number(value))
                } else if function == "cas" {
                    guard case .list(let parts)? = value, parts.count == 2 else {
                        throw failure("a cas needs [old new]")
                    }
                    action = .compareAndSet(number(parts[0]), number(parts[1]))
                }
                open[process] = Call(function: function, key: key, action: action, invoked: now)
            case "ok", "fail", "info":
                guard let call = open.removeValue(forKey: process) else {
                    throw failure("process \(client) ends an operation that was not begun")
                }
                guard call.function == function else {
                    throw failure("process \(client) began a \(call.function), not a \(function)")
                }
                var action = call.action
                if type == "ok", function == "read" {
                    guard let value = split(event, function).value else {
                        throw failure("the answer of a read needs the value that it saw")
                    }
                    action = .read(number(value))
                }
                guard type != "fail", let action else { return }
                append(call, action, process, completed: type == "ok" ? now : nil)
            default:
                throw failure("'\(type)' is no type: invoke, ok, fail and info are")
            }
        }

        /// What has not ended may still take effect.
        mutating func finish() -> RegisterHistory {
            for (process, call) in open.sorted(by: { $0.value.invoked < $1.value.invoked }) {
                if let action = call.action { append(call, action, process, completed: nil) }
            }
            return history
        }

        /// Key and value; Jepsen's independent keys stand before the value.
        private func split(_ event: Event, _ function: String) -> (key: String, value: EDN?) {
            if let key = event.key { return (key.spelled, event.value) }
            guard case .list(let parts)? = event.value, parts.count == 2 else {
                return ("", event.value)
            }
            if function == "cas" {
                guard case .list = parts[1] else { return ("", event.value) }
            }
            return (parts[0].spelled, parts[1])
        }

        private mutating func append(
            _ call: Call, _ action: RegisterOperation.Action, _ process: Int, completed: Int64?
        ) {
            history.append(
                RegisterOperation(
                    process: process, key: history.key(call.key), action: action,
                    invoked: call.invoked, completed: completed))
        }

        private mutating func number(_ value: EDN) -> Int32 {
            history.value(value == .null ? nil : value.spelled)
        }
    }
}

extension EDN {
    fileprivate var word: String? {
        switch self {
        case .keyword(let word), .atom(let word): word
        case .null, .list, .map: nil
        }
    }

    /// How a person would write it.
    fileprivate var spelled: String {
        switch self {
        case .null: "nil"
        case .atom(let text): text
        case .keyword(let word): ":" + word
        case .list(let items): "[" + items.map(\.spelled).joined(separator: " ") + "]"
        case .map(let entries):
            "{" + entries.map { $0.key.spelled + " " + $0.value.spelled }.joined(separator: ", ")
                + "}"
        }
    }
}
