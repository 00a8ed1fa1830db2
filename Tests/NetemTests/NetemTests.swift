import DrillCore
import DrillNetlink
import Glibc
import Testing

/// Needs a kernel with sch_netem: VMTests runs this in a virtual machine that has one.
@Suite(.serialized) struct NetemTests {
    static let everything = Impairment(
        delay: .milliseconds(50), jitter: .milliseconds(5), jitterCorrelation: 0.25,
        distribution: .normal, loss: .gilbertElliott(p: 0.01, r: 0.25, h: 0.1, k: 0.99),
        duplicate: CorrelatedRatio(0.05, correlation: 0.5),
        corrupt: CorrelatedRatio(0.02, correlation: 0.3),
        reorder: Reordering(CorrelatedRatio(0.25, correlation: 0.1), gap: 5),
        rate: RateLimit(bitsPerSecond: 8_000_000))

    static let single: [Impairment] = [
        Impairment(delay: .milliseconds(50)), Impairment(delay: .nanoseconds(1)),
        Impairment(delay: .seconds(600)),
        Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), jitterCorrelation: 0.5),
        Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), distribution: .normal),
        Impairment(delay: .milliseconds(50), jitter: .milliseconds(10), distribution: .pareto),
        Impairment(loss: .random(CorrelatedRatio(0.1))),
        Impairment(loss: .random(CorrelatedRatio(1, correlation: 0.25))),
        Impairment(loss: .gilbertElliott(p: 0.02, r: 0.25, h: 0, k: 1)),
        Impairment(duplicate: CorrelatedRatio(0.05, correlation: 0.2)),
        Impairment(corrupt: CorrelatedRatio(0.05, correlation: 0.2)),
        Impairment(delay: .milliseconds(10), reorder: Reordering(CorrelatedRatio(0.25), gap: 5)),
        Impairment(rate: RateLimit(bitsPerSecond: 8_000_000)),
        Impairment(rate: RateLimit(bitsPerSecond: 100_000_000_000)),
        Impairment(rate: RateLimit(bitsPerSecond: 8_000_000, burst: 20_000)), everything, .none,
    ]

    @Test func `this kernel has netem`() {
        #expect(NetemSupport.probe() == .present)
    }

    /// `impair` itself compares what it reads back.
    @Test(arguments: single)
    func `each is added, read back and changed into every other one`(first: Impairment) throws {
        let device = try Device()
        for second in Self.single {
            try device.socket.impair(device.ifb, first, seed: 42)
            #expect(try device.socket.isImpaired(device.ifb, first, seed: 42))
            try device.socket.impair(device.ifb, second, seed: 42)
            #expect(try device.socket.isImpaired(device.ifb, second, seed: 42))
            // Which table it draws from is the one thing that the kernel does not tell.
            var alike = first
            alike.distribution = second.distribution
            #expect(try alike == second || !device.socket.isImpaired(device.ifb, first, seed: 42))
        }
    }

    @Test func `tc reads what we wrote`() throws {
        let device = try Device()
        try device.socket.impair(device.ifb, Self.everything)
        let all = try device.shown()
        for part in [
            "qdisc netem fd1e: root", "delay 50ms  5ms 25%",
            "loss gemodel p 1% r 25% 1-h 90% 1-k 1%", "duplicate 5% 50%",
            "reorder 25% 10%", "corrupt 2% 30%", "rate 8Mbit", "gap 5",
        ] { #expect(all.contains(part), "\(part) in \(all)") }

        try device.socket.impair(device.ifb, Impairment(loss: .random(CorrelatedRatio(0.1))))
        let loss = try device.shown()
        #expect(loss.contains("loss 10%"), "\(loss)")
        for part in ["delay", "duplicate", "reorder", "corrupt", "rate", "gap", "gemodel"] {
            #expect(!loss.contains(part), "\(part) in \(loss)")
        }

        try device.socket.impair(
            device.ifb,
            Impairment(
                delay: .milliseconds(20), rate: RateLimit(bitsPerSecond: 8_000_000, burst: 20_000)))
        let both = try device.shown()
        #expect(
            both.contains("delay 20ms")
                && !both.contains("netem fd1e: root refcnt 2 limit 1000 rate"))
        #expect(both.contains("qdisc tbf fd1f: parent fd1e:1 rate 8Mbit burst 20000b"), "\(both)")
    }

    @Test func `a foreign root is left alone, and a foreign change is noticed`() throws {
        let device = try Device()
        try device.tc("qdisc add dev lane root handle 7: pfifo limit 5")
        let taken = #expect(throws: NetlinkError.self) {
            try device.socket.impair(device.ifb, Impairment(delay: .milliseconds(1)))
        }
        #expect(taken?.errno == EEXIST)
        try device.tc("qdisc del dev lane root")
        let asked = Impairment(delay: .milliseconds(1))
        try device.socket.impair(device.ifb, asked)
        try device.tc("qdisc change dev lane root netem delay 2ms")
        #expect(try !device.socket.isImpaired(device.ifb, asked))
        try device.tc("qdisc del dev lane root")
        #expect(try !device.socket.isImpaired(device.ifb, asked))
        #expect(try device.socket.impairmentCounters(device.ifb) == nil)
    }
}

/// An ifb in a namespace of its own.
final class Device {
    let namespace: NetworkNamespace
    let socket: NetlinkSocket
    let ifb: InterfaceIndex

    init() throws {
        namespace = try NetworkNamespace.create()
        socket = try NetlinkSocket(in: namespace)
        ifb = try socket.addIFB("lane")
        try socket.setUp(ifb, true)
    }

    func shown() throws -> String { try tc("-d qdisc show dev lane") }

    /// The second opinion.
    @discardableResult func tc(_ arguments: String) throws -> String {
        try namespace.run {
            guard let pipe = popen("/usr/bin/tc \(arguments) 2>&1", "re") else {
                throw Failure(text: "popen")
            }
            var text = ""
            while let line = readLine(from: pipe) { text += line }
            guard pclose(pipe) == 0 else { throw Failure(text: "tc \(arguments): \(text)") }
            return text
        }
    }

    private func readLine(from pipe: UnsafeMutablePointer<FILE>) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard fgets(&buffer, 4096, pipe) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    }
}

struct Failure: Error {
    let text: String
}
