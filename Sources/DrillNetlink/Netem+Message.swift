import CNetlink
import DrillCore

/// The message of sch_netem: struct tc_netem_qopt stands raw in front of its attributes, which libnl-route does not know
/// half of.
extension Netem {
    /// TCA_NETEM_PRNG_SEED, of Linux 6.6; the headers of Debian 12 are older.
    private static let prngSeed = 14

    /// Every attribute, zeros too: `netem_change` keeps what a message leaves out. Of these only a delay's table can be
    /// absent, when the qdisc is new; a change without a distribution carries the uniform table, since the kernel has no way
    /// to drop one that an earlier message brought.
    func put(into request: inout RequestBuilder, change: Bool) {
        request.nest(TCA_OPTIONS) { request in
            var options = tc_netem_qopt()
            // In ticks of 64 ns, and cut at 274 s: for kernels before 4.16, which know nothing else.
            options.latency = UInt32(clamping: latency >> 6)
            options.jitter = UInt32(clamping: jitter >> 6)
            options.limit = limit
            options.loss = loss
            options.gap = gap
            options.duplicate = duplicate
            request.append(options)
            request.put(TCA_NETEM_LATENCY64, latency)
            request.put(TCA_NETEM_JITTER64, jitter)
            request.put(
                TCA_NETEM_CORR,
                structure: [delayCorrelation, lossCorrelation, duplicateCorrelation])
            request.put(TCA_NETEM_REORDER, structure: [reorder, reorderCorrelation])
            request.put(TCA_NETEM_CORRUPT, structure: [corrupt, corruptCorrelation])
            request.put(TCA_NETEM_RATE, structure: [UInt32(clamping: rate), 0, 0, 0])
            // The kernel takes the larger of the two.
            request.put(TCA_NETEM_RATE64, rate)
            request.put(TCA_NETEM_ECN, UInt32(marksCongestion ? 1 : 0))
            // Without it the kernel goes back to random loss.
            if let model = gilbertElliott {
                request.nest(TCA_NETEM_LOSS) { request in
                    request.put(
                        NETEM_LOSS_GE, structure: [model.p, model.r, model.h, model.oneMinusK])
                }
            }
            if let seed { request.put(Self.prngSeed, seed) }
            if let table = distribution.map(DelayTable.values)
                ?? (change ? DelayTable.uniform : nil)
            {
                request.put(TCA_NETEM_DELAY_DIST, structure: table)
            }
        }
    }

    /// TCA_OPTIONS as they are sent.
    package func encoded(change: Bool) throws(NetlinkError) -> [UInt8] {
        var request = try RequestBuilder(
            "describe the fault to netem", type: RTM_NEWQDISC, capacity: Self.capacity)
        put(into: &request, change: change)
        // Behind the header of the message and that of the attribute.
        return Array(try request.finish().bytes.dropFirst(20))
    }

    /// Room for a message: a table of delays is 8 KiB.
    static let capacity = 16_384

    /// What the kernel says it has; nil when it is no netem's.
    package init?(options: [UInt8]) {
        let size = MemoryLayout<tc_netem_qopt>.size
        guard options.count >= size else { return nil }
        let fixed = options.load(tc_netem_qopt.self, at: 0)
        let attributes = Attributes(options[size...])
        latency = attributes.value(TCA_NETEM_LATENCY64) ?? Int64(fixed.latency) << 6
        jitter = attributes.value(TCA_NETEM_JITTER64) ?? Int64(fixed.jitter) << 6
        limit = fixed.limit
        loss = fixed.loss
        gap = fixed.gap
        duplicate = fixed.duplicate
        // What is absent is 0.
        func words(_ type: some BinaryInteger, in attributes: Attributes, _ count: Int) -> [UInt32]
        {
            guard let bytes = attributes[type], bytes.count >= 4 * count else {
                return [UInt32](repeating: 0, count: count)
            }
            return (0..<count).map { bytes.load(UInt32.self, at: 4 * $0) }
        }
        let correlations = words(TCA_NETEM_CORR, in: attributes, 3)
        (delayCorrelation, lossCorrelation) = (correlations[0], correlations[1])
        duplicateCorrelation = correlations[2]
        let reordering = words(TCA_NETEM_REORDER, in: attributes, 2)
        (reorder, reorderCorrelation) = (reordering[0], reordering[1])
        let corruption = words(TCA_NETEM_CORRUPT, in: attributes, 2)
        (corrupt, corruptCorrelation) = (corruption[0], corruption[1])
        rate =
            attributes.value(TCA_NETEM_RATE64)
            ?? UInt64(words(TCA_NETEM_RATE, in: attributes, 4)[0])
        marksCongestion = attributes.value(TCA_NETEM_ECN, as: UInt32.self) ?? 0 != 0
        if let model = attributes.nested(TCA_NETEM_LOSS), model[NETEM_LOSS_GE] != nil {
            let words = words(NETEM_LOSS_GE, in: model, 4)
            gilbertElliott = GilbertElliott(
                p: words[0], r: words[1], h: words[2], oneMinusK: words[3])
        }
        seed = attributes.value(Self.prngSeed)
    }
}

extension RequestBuilder {
    /// A C structure or array of such members, in host order and without padding.
    fileprivate mutating func put<T: FixedWidthInteger>(
        _ type: some BinaryInteger, structure members: [T]
    ) {
        put(type, bytes: members.withUnsafeBytes { Array($0) })
    }
}
