/// A stream of numbered packets of our own over one link and direction: what is seen of a fault's effect.
package struct ProbePath: Hashable, Sendable, Codable {
    package enum Cast: Hashable, Sendable, Codable {
        case unicast
        /// To the Ethernet address of an IPv4 multicast group, such as VRRP's 224.0.0.18.
        case multicast(group: String)
    }

    /// Unique in a run.
    package var id: String
    package var link: LinkDirection
    /// The packets are of this kind, so that a fault with the same `traffic:` meets them and others do not.
    package var traffic: TrafficSelector
    package var cast: Cast
    /// IPv4 addresses of both ends on the link's network.
    package var source: String
    package var target: String
    /// How often packets, or trains of them, are sent, a second.
    package var rate: Double
    /// By how much of its period a path begins later, so that two of one sender do not queue behind one another.
    package var phase = 0.0
    /// Packets that are sent back to back each time; more than 1 measures a rate limit by their dispersion.
    package var train: Int
    /// Of a whole Ethernet frame without its check sequence, in bytes.
    package var size: Int
    /// A packet that has not arrived so long after its sending is lost.
    package var wait: Duration

    package init(
        id: String, link: LinkDirection, traffic: TrafficSelector = .all, cast: Cast = .unicast,
        source: String, target: String, rate: Double, train: Int = 1, size: Int = 128,
        wait: Duration = .seconds(1)
    ) {
        self.id = id
        self.link = link
        self.traffic = traffic
        self.cast = cast
        self.source = source
        self.target = target
        self.rate = rate
        self.train = train
        self.size = size
        self.wait = wait
    }
}

/// What became of one packet of a `ProbePath`.
package struct ProbeSample: Hashable, Sendable {
    package var sent: RunInstant
    /// From sending to the arrival of the first copy; nil: none came within the wait.
    package var delay: Duration?
    /// How often it arrived.
    package var copies: Int
    /// It arrived with other content than it was sent with.
    package var isDamaged: Bool
    /// Sent with the one before it, back to back.
    package var continuesTrain: Bool

    package init(
        sent: RunInstant, delay: Duration?, copies: Int? = nil, isDamaged: Bool = false,
        continuesTrain: Bool = false
    ) {
        self.sent = sent
        self.delay = delay
        self.copies = copies ?? (delay == nil ? 0 : 1)
        self.isDamaged = isDamaged
        self.continuesTrain = continuesTrain
    }
}

/// Consecutive packets of one path, all decided.
package struct ProbeBucket: Hashable, Sendable {
    package var path: String
    package var samples: [ProbeSample]

    package init(path: String, samples: [ProbeSample]) {
        self.path = path
        self.samples = samples
    }
}

/// Columns of whole numbers: a few bytes a packet.
extension ProbeBucket: Codable {
    private enum CodingKeys: String, CodingKey {
        case path, first, sent, delay, copied, damaged, train
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        path = try container.decode(String.self, forKey: .path)
        let first = RunInstant(
            nanoseconds: try container.decode(Int64.self, forKey: .first))
        let sent = try container.decode([Int64].self, forKey: .sent)
        let delay = try container.decode([Int64].self, forKey: .delay)
        let copied = try container.decode([Int: Int].self, forKey: .copied)
        let damaged = Set(try container.decode([Int].self, forKey: .damaged))
        let train = Set(try container.decode([Int].self, forKey: .train))
        samples = zip(sent, delay).enumerated().map { index, pair in
            let came = pair.1 < 0 ? nil : Duration.nanoseconds(pair.1)
            return ProbeSample(
                sent: first + .nanoseconds(pair.0), delay: came,
                copies: copied[index], isDamaged: damaged.contains(index),
                continuesTrain: train.contains(index))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let first = samples.first?.sent ?? RunInstant(nanoseconds: 0)
        try container.encode(path, forKey: .path)
        try container.encode(first.nanoseconds, forKey: .first)
        try container.encode(samples.map { ($0.sent - first).nanoseconds }, forKey: .sent)
        try container.encode(samples.map { $0.delay?.nanoseconds ?? -1 }, forKey: .delay)
        var copied: [Int: Int] = [:]
        for (index, sample) in samples.enumerated()
        where sample.copies != (sample.delay == nil ? 0 : 1) {
            copied[index] = sample.copies
        }
        try container.encode(copied, forKey: .copied)
        try container.encode(samples.indices.filter { samples[$0].isDamaged }, forKey: .damaged)
        try container.encode(samples.indices.filter { samples[$0].continuesTrain }, forKey: .train)
    }
}
