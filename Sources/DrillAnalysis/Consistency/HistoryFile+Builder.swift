internal import DrillCore

extension HistoryFile.Event {
    init(_ line: HistoryFile.JSONEvent) {
        process = line.process?.edn
        type = line.type.map(EDN.keyword)
        function = line.f.map(EDN.keyword)
        key = line.key?.edn
        value = line.value?.edn ?? .null
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

        /// A number, a text, a list of these, or null.
        enum Value: Decodable {
            case null
            case atom(String)
            case list([Value])

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if container.decodeNil() {
                    self = .null
                } else if let number = try? container.decode(Int64.self) {
                    self = .atom(String(number))
                } else if let text = try? container.decode(String.self) {
                    self = .atom(text)
                } else if let number = try? container.decode(Double.self) {
                    self = .atom(String(number))
                } else {
                    self = .list(try container.decode([Value].self))
                }
            }

            var edn: EDN {
                switch self {
                case .null: .null
                case .atom(let text): .atom(text)
                case .list(let values): .list(values.map(\.edn))
                }
            }
        }
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
            var value: EDN
            var invoked: Int64
        }

        init(name: String) { self.name = name }

        mutating func add(_ event: Event, line: Int, column: Int) throws(HistoryFileError) {
            func failure(_ reason: String) -> HistoryFileError {
                HistoryFileError(file: name, line: line, column: column, reason: reason)
            }
            guard let type = event.type?.word, let function = event.function?.word else {
                throw failure("an operation needs 'type' and 'f'")
            }
            // The one that breaks things is no client.
            guard case .atom(let text)? = event.process, let process = Int(text) else {
                if event.process == nil { throw failure("an operation needs 'process'") }
                return
            }
            guard ["read", "write", "cas"].contains(function) else {
                throw failure(
                    "'\(function)' is no operation of a register: read, write and cas are")
            }
            now += 1
            switch type {
            case "invoke":
                guard open[process] == nil else {
                    throw failure(
                        "process \(process) begins an operation, and its last one has not ended")
                }
                let (key, value) = split(event, function)
                open[process] = Call(function: function, key: key, value: value, invoked: now)
            case "ok", "fail", "info":
                guard var call = open.removeValue(forKey: process) else {
                    throw failure("process \(process) ends an operation that was not begun")
                }
                guard call.function == function else {
                    throw failure("process \(process) began a \(call.function), not a \(function)")
                }
                if type == "fail" { return }
                if function == "read" { call.value = split(event, function).value }
                guard append(call, process, completed: type == "ok" ? now : nil) else {
                    throw failure("a cas needs [old new]")
                }
            default:
                throw failure("'\(type)' is no type: invoke, ok, fail and info are")
            }
        }

        /// What has not ended may still take effect.
        mutating func finish() -> RegisterHistory {
            for (process, call) in open.sorted(by: { $0.key < $1.key }) {
                _ = append(call, process, completed: nil)
            }
            return history
        }

        /// Key and value; Jepsen's independent keys stand before the value.
        private func split(_ event: Event, _ function: String) -> (key: String, value: EDN) {
            if let key = event.key { return (key.spelled, event.value) }
            guard case .list(let parts) = event.value, parts.count == 2 else {
                return ("", event.value)
            }
            if function == "cas" {
                guard case .list = parts[1] else { return ("", event.value) }
            }
            return (parts[0].spelled, parts[1])
        }

        private mutating func append(_ call: Call, _ process: Int, completed: Int64?) -> Bool {
            let action: RegisterOperation.Action
            switch call.function {
            case "read":
                guard completed != nil else { return true }
                action = .read(value(call.value))
            case "write": action = .write(value(call.value))
            default:
                guard case .list(let parts) = call.value, parts.count == 2 else { return false }
                action = .compareAndSet(value(parts[0]), value(parts[1]))
            }
            history.append(
                RegisterOperation(
                    process: process, key: history.key(call.key), action: action,
                    invoked: call.invoked, completed: completed))
            return true
        }

        private mutating func value(_ value: EDN) -> Int32 {
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
