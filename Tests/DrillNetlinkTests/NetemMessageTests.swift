import DrillCore
import DrillNetlink
import Testing

@Suite struct NetemMessageTests {
    static let everything = Impairment(
        delay: .milliseconds(50), jitter: .milliseconds(5), jitterCorrelation: 0.25,
        distribution: .normal, loss: .gilbertElliott(p: 0.01, r: 0.25, h: 0, k: 1),
        duplicate: CorrelatedRatio(0.05, correlation: 0.5), corrupt: CorrelatedRatio(1),
        reorder: Reordering(CorrelatedRatio(0.25, correlation: 0.1), gap: 5),
        rate: RateLimit(bitsPerSecond: 8_000_000))

    /// struct tc_netem_qopt: latency and jitter in 64 ns, limit in packets, and shares of 2³² − 1.
    @Test func `the fixed structure is the kernel's`() throws {
        var asked = Self.everything
        asked.loss = .random(CorrelatedRatio(0.5))
        let bytes = try Netem(asked).encoded(change: false)
        let words = (0..<6).map { number in
            bytes[(4 * number)..<(4 * number + 4)].reversed().reduce(UInt32(0)) {
                $0 << 8 | UInt32($1)
            }
        }
        #expect(
            words == [
                50_000_000 / 64, UInt32(asked.queueLimit), 0x8000_0000, 5, 0x0ccc_cccd,
                5_000_000 / 64,
            ])
    }

    @Test func `every attribute is sent, zeros included`() throws {
        let always = [1, 3, 4, 6, 7, 8, 10, 11]
        let nothing = try attributes(.none, change: false)
        #expect(nothing.entries.map(\.type).sorted() == always)
        #expect(nothing.entries.allSatisfy { $0.value.allSatisfy { $0 == 0 } })
        // A change also takes back the table of delays that an earlier message may have brought.
        let change = try attributes(.none, change: true)
        #expect(change.entries.map(\.type).sorted() == (always + [2]).sorted())
        let options = try Netem(Self.everything, seed: 7).encoded(change: false)
        let full = Attributes(options.dropFirst(24))
        #expect(full.entries.map(\.type).sorted() == (always + [2, 5, 14]).sorted())
        #expect(full.value(14, as: UInt64.self) == 7)
    }

    @Test func `attributes have the layout of the kernel's structures`() throws {
        let found = try attributes(Self.everything, change: false)
        #expect(found.value(10, as: Int64.self) == 50_000_000)
        #expect(found.value(11, as: Int64.self) == 5_000_000)
        #expect(words(found[1]) == [0x4000_0000, 0, 0x8000_0000], "delay, loss, duplicate")
        #expect(words(found[3]) == [0x4000_0000, 0x1999_999a], "reorder")
        #expect(words(found[4]) == [0xffff_ffff, 0], "corrupt")
        #expect(words(found[6]) == [1_000_000, 0, 0, 0], "bytes a second, no overheads")
        #expect(found.value(8, as: UInt64.self) == 1_000_000)
        #expect(words(found.nested(5)?[2]) == [0x028f_5c29, 0x4000_0000, 0, 0], "p, r, h, 1 - k")
        let table = found[2] ?? []
        #expect(table.count == 2 * DelayTable.count)
        #expect(
            Array(table.prefix(2))
                == withUnsafeBytes(of: DelayTable.values(.normal)[0]) { Array($0) })
    }

    @Test(
        arguments: [
            .none, everything, Impairment(delay: .seconds(600)), Impairment(delay: .nanoseconds(1)),
            Impairment(rate: RateLimit(bitsPerSecond: 100_000_000_000)),
            Impairment(loss: .random(CorrelatedRatio(1, correlation: 1))),
            Impairment(delay: .seconds(1), jitter: .milliseconds(2147), distribution: .pareto),
        ] as [Impairment])
    func `what is sent is what would be read`(impairment: Impairment) throws {
        for change in [false, true] {
            var netem = try Netem(impairment, seed: 7)
            let bytes = try netem.encoded(change: change)
            netem.distribution = nil
            #expect(Netem(options: bytes) == netem)
        }
    }

    @Test(arguments: [
        (Impairment(jitter: .milliseconds(2148)), "jitter at most 2.147 s"),
        (Impairment(delay: .milliseconds(-1)), "a delay is 0 or more"),
        (Impairment(loss: .random(CorrelatedRatio(1.01))), "between 0 and 1"),
        (Impairment(loss: .gilbertElliott(p: 0.1, r: 0.1, h: 0, k: -1)), "between 0 and 1"),
        (Impairment(reorder: Reordering(CorrelatedRatio(0.5), gap: 0)), "a gap is 1 or more"),
        (Impairment(rate: RateLimit(bitsPerSecond: 7)), "at least 8 bit/s"),
    ])
    func `what netem cannot do is refused with a sentence`(impairment: Impairment, why: String) {
        let error = #expect(throws: NetlinkError.self) { try Netem(impairment) }
        #expect(error?.description.contains(why) == true)
    }

    private func attributes(_ impairment: Impairment, change: Bool) throws -> Attributes {
        Attributes(try Netem(impairment, seed: nil).encoded(change: change).dropFirst(24))
    }

    private func words(_ bytes: [UInt8]?) -> [UInt32] {
        let bytes = bytes ?? []
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}
