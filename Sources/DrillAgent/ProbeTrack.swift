package import DrillCore

/// The packets of one path that are still open, by their sequence numbers.
package struct ProbeTrack {
    private struct Packet {
        var sent: RunInstant
        var arrived: RunInstant?
        var copies = 0
        var isDamaged = false
        var continuesTrain: Bool
    }

    private var open: [Packet] = []
    /// The sequence number of the first of them.
    private var first: UInt32 = 0
    private let wait: Duration

    /// - Parameter wait: what has not come so long after its sending is lost; copies are counted as long.
    package init(wait: Duration) { self.wait = wait }

    package var next: UInt32 { first &+ UInt32(open.count) }
    package var isEmpty: Bool { open.isEmpty }

    package mutating func send(at instant: RunInstant, continuesTrain: Bool) {
        open.append(Packet(sent: instant, continuesTrain: continuesTrain))
    }

    /// One that is decided already, or never was sent, is nobody's.
    package mutating func arrive(_ sequence: UInt32, at instant: RunInstant, isDamaged: Bool) {
        let index = Int(sequence &- first)
        guard index < open.count else { return }
        open[index].copies += 1
        if let earlier = open[index].arrived, earlier <= instant { return }
        // A kernel's stamp may be a little older than the return of the call that sent it.
        open[index].arrived = max(instant, open[index].sent)
        open[index].isDamaged = isDamaged
    }

    /// Whether nothing more can be expected but late copies.
    package var hasAllArrived: Bool { open.allSatisfy { $0.arrived != nil } }

    /// What is decided by now, in the order of sending.
    package mutating func decide(now: RunInstant) -> [ProbeSample] {
        take(open.prefix { $0.sent + wait <= now }.count)
    }

    /// Everything, whatever the time.
    package mutating func decideAll() -> [ProbeSample] { take(open.count) }

    private mutating func take(_ count: Int) -> [ProbeSample] {
        let samples = open.prefix(count).map { packet in
            ProbeSample(
                sent: packet.sent, delay: packet.arrived.map { $0 - packet.sent },
                copies: packet.copies, isDamaged: packet.isDamaged,
                continuesTrain: packet.continuesTrain)
        }
        open.removeFirst(count)
        first &+= UInt32(count)
        return samples
    }
}
