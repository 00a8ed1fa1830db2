import DrillCore
import Testing

@Suite struct OperationsFileTests {
    private static let names: [StreamName] = ["web/fresh/read", "web/kept/read", "tcp/kept/write"]

    private static func randomStreams(seed: UInt64) -> [OperationStream] {
        var random = SeededGenerator(seed: seed)
        return names.map { name in
            var intended = Int64.random(in: 0...1 << 50, using: &random)
            var stream = OperationStream(name: name)
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                intended += Int64.random(in: 0...2_000_000, using: &random)
                let at = { (most: Int64) in
                    RunInstant(nanoseconds: intended + .random(in: 0...most, using: &random))
                }
                stream.operations.append(
                    ClientOperation(
                        intended: RunInstant(nanoseconds: intended), dispatched: at(1 << 20),
                        sent: Bool.random(using: &random) ? at(1 << 22) : nil,
                        completed: Bool.random(using: &random) ? at(1 << 40) : nil,
                        outcome: Outcome.allCases.randomElement(using: &random) ?? .ok,
                        key: Bool.random(using: &random) ? "k\(intended)" : nil,
                        value: Bool.random(using: &random) ? "vé" : nil,
                        host: [nil, "a", "b", "witness"].randomElement(using: &random) ?? nil))
            }
            return stream
        }
    }

    @Test(arguments: 1...200)
    func `what is written is read`(seed: UInt64) throws {
        let streams = Self.randomStreams(seed: seed)
        let contents = try OperationsFile.decode(OperationsFile.encode(streams))
        #expect(contents.isComplete)
        #expect(contents.streams == streams)
    }

    @Test(arguments: 1...10)
    func `every prefix that holds the header gives the operations that are whole in it`(
        seed: UInt64
    ) throws {
        let streams = Self.randomStreams(seed: seed)
        let bytes = OperationsFile.encode(streams)
        let header = OperationsFile.encode(Self.names.map { OperationStream(name: $0) }).count - 1
        var before = 0
        for length in header..<bytes.count {
            let contents = try OperationsFile.decode(Array(bytes[..<length]))
            #expect(!contents.isComplete)
            for (read, written) in zip(contents.streams, streams) {
                #expect(written.operations.starts(with: read.operations))
            }
            let count = contents.streams.reduce(0) { $0 + $1.operations.count }
            #expect(count == before || count == before + 1)
            before = count
        }
        #expect(before == streams.reduce(0) { $0 + $1.operations.count })
    }

    @Test func `a file that was cut off within its header holds nothing and says so`() throws {
        let header = OperationsFile.encode(Self.names.map { OperationStream(name: $0) }).dropLast()
        for length in 0..<header.count {
            let contents = try OperationsFile.decode(Array(header[..<length]))
            #expect(!contents.isComplete)
            #expect(contents.streams.isEmpty)
        }
    }

    @Test func `a constant stream takes at most 12 bytes an operation`() {
        let operations = (0..<10_000 as Range<Int64>).map { index in
            let intended = RunInstant(nanoseconds: 3_000_000_000_000 + index * 1_000_000)
            return ClientOperation(
                intended: intended, dispatched: intended + .microseconds(20),
                sent: intended + .microseconds(20), completed: intended + .microseconds(180),
                outcome: .ok, host: "a")
        }
        let bytes = OperationsFile.encode([
            OperationStream(name: "web/kept/read", operations: operations)
        ])
        #expect(bytes.count <= 12 * operations.count)
    }

    @Test func `operations out of order are sorted by their intended instants`() throws {
        let at = { RunInstant(nanoseconds: $0) }
        let operations = [30, 10, 20].map {
            ClientOperation(
                intended: at($0), dispatched: at($0), sent: nil, completed: nil,
                outcome: .unsentConnection)
        }
        let bytes = OperationsFile.encode([OperationStream(name: "s", operations: operations)])
        let read = try OperationsFile.decode(bytes).streams[0].operations
        #expect(read.map(\.intended.nanoseconds) == [10, 20, 30])
    }

    @Test(arguments: [
        (Array("stream,kind".utf8), OperationsFileError.foreign, "not an operations file"),
        (Array("FDRLOPX".utf8), .foreign, "not an operations file"),
        (
            Array("FDRLOPS".utf8) + [9, 0], .version(9),
            "an operations file of version 9; this program reads version 1"
        ),
        (
            Array("FDRLOPS".utf8) + [1, 1, 1, 97, 5], .damaged(at: 11),
            "the operations file is damaged at byte 11"
        ),
        (
            Array("FDRLOPS".utf8) + [1, 1, 1, 97, 0, 4, 0, 0], .damaged(at: 11),
            "the operations file is damaged at byte 11"
        ),
    ])
    func `what is no operations file is told`(
        bytes: [UInt8], error: OperationsFileError, text: String
    ) {
        #expect(throws: error) { try OperationsFile.decode(bytes) }
        #expect(error.description == text)
    }
}
