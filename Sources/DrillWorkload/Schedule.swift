import Glibc

package import DrillCore

/// The intended instants of one stream: fixed before the run, whatever happens in it.
package struct Schedule: Hashable, Sendable {
    /// The next intended instant.
    package private(set) var next: RunInstant
    private let origin: RunInstant
    private let arrival: Arrival
    /// Operations in a million seconds: whole, so that no instant drifts from start + i × period.
    private let perMillionSeconds: UInt64
    private var index: UInt64 = 0
    private var elapsed = 0.0
    private var random: SeededGenerator

    /// `rate` is in operations a second, above 0. Stream `index` of `streams` is shifted by its share of a
    /// period, so that streams do not all begin an operation at one instant.
    package init(
        start: RunInstant, rate: Double, arrival: Arrival, seed: UInt64, index: Int = 0,
        streams: Int = 1
    ) {
        let perMillion = max(1, UInt64((rate * 1e6).rounded()))
        perMillionSeconds = perMillion
        let shift = Self.offset(of: UInt64(index), perMillionSeconds: perMillion) / Int64(streams)
        origin = start + .nanoseconds(shift)
        self.arrival = arrival
        random = SeededGenerator(seed: seed, stream: UInt64(index) &+ 1)
        next = origin
        if arrival == .poisson { advance() }
    }

    /// Moves on to the operation after `next`.
    package mutating func advance() {
        switch arrival {
        case .constant:
            index += 1
            let offset = Self.offset(of: index, perMillionSeconds: perMillionSeconds)
            next = RunInstant(nanoseconds: origin.nanoseconds + offset)
        case .poisson:
            // Inverse transform: the gaps of a Poisson process are exponential. 1 − u is never 0.
            let u = Double(random.next() >> 11) * 0x1p-53
            elapsed += -log(1 - u) * 1e15 / Double(perMillionSeconds)
            next = RunInstant(nanoseconds: origin.nanoseconds + Int64(elapsed.rounded()))
        }
    }

    /// index × period in nanoseconds, rounded down, exact in 128 bits.
    private static func offset(of index: UInt64, perMillionSeconds: UInt64) -> Int64 {
        let product = index.multipliedFullWidth(by: 1_000_000_000_000_000)
        return Int64(perMillionSeconds.dividingFullWidth(product).quotient)
    }
}
