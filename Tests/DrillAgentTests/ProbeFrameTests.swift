import DrillAgent
import DrillCore
import Testing

private func path(
    _ traffic: TrafficSelector, cast: ProbePath.Cast = .unicast, size: Int = 128
) -> ProbePath {
    ProbePath(
        id: "p", link: LinkDirection(network: "main", from: "a", to: "b"), traffic: traffic,
        cast: cast, source: "10.77.0.11", target: "10.77.0.12", rate: 100, size: size)
}

private let sender: [UInt8] = [2, 0, 0, 0, 0, 1]
private let receiver: [UInt8] = [2, 0, 0, 0, 0, 2]

struct ProbeFrameTests {
    private func frame(_ path: ProbePath, number: UInt32 = 7) throws -> ProbeFrame {
        try #require(ProbeFrame(path, number: number, sender: sender, receiver: receiver))
    }

    /// The sum of a header or packet whose checksum is right.
    private func sum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum: UInt32 = 0
        var isHigh = true
        for byte in bytes {
            sum += UInt32(byte) << (isHigh ? 8 : 0)
            isHigh.toggle()
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return sum
    }

    @Test(
        arguments: [
            (.all, 17, 9), (.udp(53), 17, 53), (.tcp(5432), 6, 5432), (.vrrp, 112, nil),
        ] as [(TrafficSelector, UInt8, Int?)])
    func `a frame is of its traffic's kind, and no kernel takes it in`(
        traffic: TrafficSelector, number: UInt8, port: Int?
    ) throws {
        let bytes = try frame(path(traffic)).bytes(41)
        #expect(bytes.count == 128)
        #expect(bytes[0..<6].elementsEqual(receiver) && bytes[6..<12].elementsEqual(sender))
        #expect(bytes[12..<16].elementsEqual([0x08, 0x00, 0x45, 0xc0]))
        #expect(Int(bytes[16]) << 8 + Int(bytes[17]) == 128 - 14)
        #expect(bytes[22] == 255 && bytes[23] == number)
        #expect(sum(bytes[14..<34]) == 0xffff)
        if let port { #expect(Int(bytes[36]) << 8 + Int(bytes[37]) == port) }
        if number == 112 {
            #expect(bytes[35] == 255)
            return
        }
        let pseudo = bytes[26..<34] + [0, number, 0, UInt8(128 - 34)]
        #expect(sum(Array(pseudo) + bytes[34...]) != 0xffff)
        if number == 17 { #expect(bytes[40] != 0 || bytes[41] != 0) }
        if number == 6 { #expect(bytes[47] == 0x04) }
    }

    @Test func `a multicast goes to the Ethernet address of its group`() throws {
        let bytes = try frame(path(.vrrp, cast: .multicast(group: "224.0.0.18"))).bytes(0)
        #expect(bytes[0..<6].elementsEqual([0x01, 0x00, 0x5e, 0, 0, 18]))
        #expect(bytes[30..<34].elementsEqual([224, 0, 0, 18]))
    }

    @Test func `a frame says whose it is, and a changed bit there makes it nobody's`() throws {
        let frame = try frame(path(.all))
        let bytes = frame.bytes(0xfedc_ba98)
        let known = try #require(ProbeFrame.identify(bytes))
        #expect(known.path == 7 && known.sequence == 0xfedc_ba98)
        for bit in 0..<(bytes.count * 8) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            let identity = ProbeFrame.identify(damaged)
            let isInside = (64..<84).contains(bit / 8)
            #expect((identity == nil) == isInside)
            if let identity { #expect(damaged != frame.bytes(identity.sequence)) }
        }
        #expect(ProbeFrame.identify(bytes.prefix(83)) == nil)
    }

    @Test func `a size is kept within what Ethernet carries`() throws {
        #expect(try frame(path(.tcp(80), size: 10)).bytes(1).count == 84)
        #expect(try frame(path(.tcp(80), size: 9000)).bytes(1).count == 1514)
        #expect(ProbeFrame.identify(try frame(path(.tcp(80), size: 10)).bytes(1))?.sequence == 1)
    }

    @Test func `a path without addresses has no frames`() {
        var path = path(.all)
        path.target = "b"
        #expect(ProbeFrame(path, number: 1, sender: sender, receiver: receiver) == nil)
    }
}

struct ProbeTrackTests {
    private func at(_ milliseconds: Int64) -> RunInstant {
        RunInstant(nanoseconds: milliseconds * 1_000_000)
    }

    @Test func `a packet is decided when its wait is over, and not before`() {
        var track = ProbeTrack(wait: .milliseconds(100))
        track.send(at: at(0), continuesTrain: false)
        track.send(at: at(10), continuesTrain: true)
        track.arrive(1, at: at(12), isDamaged: true)
        track.arrive(0, at: at(50), isDamaged: false)
        track.arrive(0, at: at(40), isDamaged: false)
        track.arrive(2, at: at(50), isDamaged: false)
        #expect(track.hasAllArrived)
        #expect(track.decide(now: at(99)) == [])
        #expect(
            track.decide(now: at(100)) == [
                ProbeSample(sent: at(0), delay: .milliseconds(40), copies: 2)
            ])
        #expect(track.next == 2)
        #expect(
            track.decideAll() == [
                ProbeSample(
                    sent: at(10), delay: .milliseconds(2), isDamaged: true, continuesTrain: true)
            ])
        #expect(track.isEmpty)
    }

    @Test func `what does not come is lost, and what comes too late changes nothing`() {
        var track = ProbeTrack(wait: .milliseconds(100))
        track.send(at: at(0), continuesTrain: false)
        #expect(!track.hasAllArrived)
        #expect(track.decide(now: at(101)) == [ProbeSample(sent: at(0), delay: nil)])
        track.arrive(0, at: at(102), isDamaged: false)
        track.send(at: at(110), continuesTrain: false)
        #expect(track.decideAll() == [ProbeSample(sent: at(110), delay: nil)])
    }
}
