import CLinux
import DrillCore
import DrillEmulator
import DrillNetlink
import Foundation
import Glibc
import Testing

/// The emulator's program between two real hosts.
@Suite(.serialized) struct LabEmulatorTests {
    private func median(_ durations: [Duration]) -> Duration {
        durations.sorted()[durations.count / 2]
    }

    /// How late time stamps come through a relay that does nothing else, where that is more than the usual tenth of a
    /// millisecond: a machine that others use as well wakes nobody earlier, and each stamp wakes two threads, as each
    /// packet does.
    private func excess() async throws -> Duration {
        var there: [Int32] = [-1, -1]
        var back: [Int32] = [-1, -1]
        try #require(clinux_pipe(&there) == 0 && clinux_pipe(&back) == 0)
        let (toRelay, atRelay, fromRelay, atEnd) = (there[1], there[0], back[1], back[0])
        Thread.detachNewThread { Self.relay(from: atRelay, to: fromRelay) }
        Thread.detachNewThread {
            clinux_precise_timers()
            let began = RunInstant.now
            for number in 0..<1000 {
                let wait = began + .milliseconds(number) - .now
                if wait > .zero {
                    var length = timespec(tv_sec: 0, tv_nsec: Int(wait.nanoseconds))
                    clock_nanosleep(CLOCK_MONOTONIC, 0, &length, nil)
                }
                var stamp = RunInstant.now
                write(toRelay, &stamp, MemoryLayout<RunInstant>.size)
            }
            close(toRelay)
        }
        let late = await withCheckedContinuation { done in
            Thread.detachNewThread {
                var late: [Duration] = []
                var stamp = RunInstant.now
                while read(atEnd, &stamp, MemoryLayout<RunInstant>.size) > 0 {
                    late.append(.now - stamp - .milliseconds(50))
                }
                close(atEnd)
                done.resume(returning: late)
            }
        }
        return max(.zero, median(late) - .microseconds(100))
    }

    /// Holds each stamp for 50 ms, with the emulator's priority and timers.
    private static func relay(from source: Int32, to sink: Int32) {
        _ = clinux_realtime(6)
        clinux_precise_timers()
        var held: [(stamp: RunInstant, due: RunInstant)] = []
        var sent = 0
        var isOpen = true
        while isOpen || sent < held.count {
            var entry = clinux_poll(
                descriptor: isOpen ? source : -1, asked: Int16(POLLIN), seen: 0)
            let next = sent < held.count ? held[sent].due - .now : .seconds(1)
            _ = clinux_ppoll(&entry, 1, max(0, next.nanoseconds))
            while sent < held.count, held[sent].due <= .now {
                write(sink, &held[sent].stamp, MemoryLayout<RunInstant>.size)
                sent += 1
            }
            guard entry.seen != 0 else { continue }
            var stamp = RunInstant.now
            isOpen = read(source, &stamp, MemoryLayout<RunInstant>.size) > 0
            if isOpen { held.append((stamp, .now + .milliseconds(50))) }
        }
        close(source)
        close(sink)
    }

    @Test func `50 ms at 1,000 packets a second are 50 ms`() async throws {
        let lab = try EmulatorLab()
        let bare = median(try lab.send(500, every: .milliseconds(1)).map(\.took))
        try lab.impair(Impairment(delay: .milliseconds(50)))
        var seen: [Duration] = []
        var late: [Duration] = []
        // One of five is as it should be.
        while seen.count < 5,
            seen.last.map({ $0 > .milliseconds(50.2) + late[late.count - 1] }) ?? true
        {
            let arrivals = try lab.send(2000, every: .milliseconds(1))
            #expect(arrivals.count == 2000)
            #expect(arrivals.map(\.number) == Array(0..<2000))
            seen.append(median(arrivals.map(\.took)) - bare)
            late.append(try await excess())
            // Nothing comes early: the kernel's clock and ours are one.
            #expect(arrivals.allSatisfy { $0.took >= .milliseconds(50) })
        }
        print("50 ms:", seen, "a relay's excess:", late)
        #expect(
            zip(seen, late).contains {
                $0 > .milliseconds(49.8) && $0 <= .milliseconds(50.2) + $1
            }, "\(seen) beside \(bare) and a relay \(late) late")
        try lab.heal()
        #expect(try lab.hasDevice() == false)
        #expect(median(try lab.send(200, every: .milliseconds(1)).map(\.took)) < .milliseconds(5))
        #expect(lab.end() == 0)
    }

    @Test func `a lane that is drained loses nothing of what is on its way`() throws {
        for (command, isWhole) in [
            (EmulatorCommand.drain("lane", limit: .seconds(2)), true), (.close("lane"), false),
        ] {
            let lab = try EmulatorLab()
            try lab.impair(Impairment(delay: .milliseconds(100)))
            let arrivals = try lab.send(1000, every: .milliseconds(1)) {
                try lab.heal(command)
                // Some hundred are held.
                #expect(try lab.hasDevice() == isWhole)
            }
            #expect(try lab.hasDevice() == false)
            let came = Set(arrivals.map(\.number))
            #expect(arrivals.count == came.count)
            if isWhole {
                #expect(came.count == 1000)
                #expect(arrivals.allSatisfy { $0.number >= 500 || $0.took >= .milliseconds(100) })
                // Those that came after the heal are not held up by those before it.
                #expect(median(arrivals.filter { $0.number >= 500 }.map(\.took)) < .milliseconds(5))
            } else {
                #expect((800...950).contains(came.count), "\(came.count)")
            }
            #expect(lab.end() == 0)
        }
    }

    @Test func `a lane that is drained ends at once where it is dry, and late packets end it`()
        throws
    {
        let lab = try EmulatorLab()
        try lab.impair(Impairment(delay: .milliseconds(20)))
        #expect(try lab.send(20, every: .milliseconds(1)).count == 20)
        try lab.heal(.drain("lane", limit: .seconds(2)))
        // What else was sent (a neighbour that was asked for) takes its 20 ms, and not the 2 s.
        #expect(try lab.losesDevice(within: .seconds(1)))
        try lab.impair(Impairment(delay: .seconds(60)))
        #expect(
            try lab.send(20, every: .milliseconds(1)) {
                try lab.heal(.drain("lane", limit: .milliseconds(150)))
            }.count == 10)
        #expect(try lab.losesDevice(within: .seconds(1)))
        #expect(lab.end() == 0)
    }

    @Test func `10 % are lost, and the counters say which`() throws {
        let lab = try EmulatorLab()
        try lab.impair(Impairment(loss: .random(CorrelatedRatio(0.1))))
        let before = try lab.counters()
        let arrivals = try lab.send(5000, every: .microseconds(200), patience: .milliseconds(100))
        let counters = try lab.counters()
        let lost = 5000 - arrivals.count
        // 99.9 % of the binomial distribution around 500: ±70.
        #expect((430...570).contains(lost))
        #expect(counters.overflowed == 0 && counters.refused == 0 && counters.unread == 0)
        #expect(counters.received - counters.lost == counters.sent)
        #expect(counters.sent - before.sent >= arrivals.count)
        #expect(lab.end() == 0)
        #expect(try lab.hasDevice() == false)
    }

    @Test func `packets come twice, or overtake, as asked`() throws {
        let lab = try EmulatorLab()
        try lab.impair(
            Impairment(delay: .milliseconds(5), duplicate: CorrelatedRatio(0.2)))
        let doubled = try lab.send(2000, every: .microseconds(500))
        // 99.9 % around 400: ±59.
        #expect((2341...2459).contains(doubled.count))
        #expect(Set(doubled.map(\.number)).count == 2000)
        try lab.carryOut(
            .set(
                "lane",
                Impairment(
                    delay: .milliseconds(5), reorder: Reordering(CorrelatedRatio(0.25)))))
        let reordered = try lab.send(2000, every: .microseconds(500))
        let early = reordered.filter { $0.took < .milliseconds(4) }.count
        // 99.9 % around 500: ±64.
        #expect((436...564).contains(early))
        #expect(reordered.map(\.number) != Array(0..<2000))
        #expect(lab.end() == 0)
    }

    @Test func `a TCP stream through 5 % corruption delivers no wrong byte`() throws {
        let lab = try EmulatorLab()
        try lab.impair(Impairment(corrupt: CorrelatedRatio(0.05)))
        let count = 2 << 20
        let listener = try lab.hosts[1].namespace.run { try self.stream(1, isServer: true) }
        defer { close(listener) }
        let client = try lab.hosts[0].namespace.run { try self.stream(0, isServer: false) }
        let server = accept(listener, nil, nil)
        try #require(server >= 0)
        defer { close(server) }
        // Both ends in one thread: what does not go now goes later.
        for end in [client, server] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        var sent = 0
        var received: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        let deadline = RunInstant.now + .seconds(60)
        while received.count < count, RunInstant.now < deadline {
            var entries = [
                clinux_poll(descriptor: server, asked: Int16(POLLIN), seen: 0),
                clinux_poll(
                    descriptor: sent < count ? client : -1, asked: Int16(POLLOUT), seen: 0),
            ]
            _ = clinux_ppoll(&entries, 2, 100_000_000)
            let written = bytes[sent...].withUnsafeBytes {
                write(client, $0.baseAddress, min($0.count, 65536))
            }
            if written > 0 { sent += written }
            let got = read(server, &room, room.count)
            if got > 0 { received += room[..<got] }
        }
        close(client)
        #expect(received == bytes)
        let counters = try lab.counters()
        #expect(counters.corrupted > 30)
        #expect(lab.end() == 0)
    }

    private func stream(_ host: Int, isServer: Bool) throws -> Int32 {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var place = EmulatorLab.address(1)
        let result = withUnsafePointer(to: &place) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                return isServer ? bind(number, $0, size) : connect(number, $0, size)
            }
        }
        try #require(result == 0)
        if isServer { try #require(listen(number, 1) == 0) }
        return number
    }

    @Test func `the devices go with the program, however it ends`() throws {
        let lab = try EmulatorLab()
        try lab.impair(.none)
        #expect(try lab.hasDevice())
        kill(lab.process, SIGINT)
        try lab.carryOut(.ping)
        #expect(
            try lab.ask(.open("lane", output: "b", seed: 1)).failure?.message
                == "emulator: lane lane is open already")
        #expect(
            try lab.ask(.set("other", .none)).failure?.message == "emulator: there is no lane other"
        )
        #expect(try lab.ask(.open("more", output: "nowhere", seed: 1)).failure?.errno == ENODEV)
        kill(lab.process, SIGKILL)
        #expect(lab.end() == 128 + SIGKILL)
        #expect(try lab.hasDevice() == false)
    }
}
