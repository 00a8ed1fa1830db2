import DrillCore
import Glibc

/// Memory that is taken, written to, and held. The process is the first that the kernel ends when memory runs out.
final class MemoryStress {
    private let base: UnsafeMutableRawPointer
    private let count: Int
    private static let page = 4096
    private static let step = 16 << 20

    /// - Parameter keep: bytes that stay available to others; looked at before each step.
    init(bytes: Int, keep: Int64) throws(LabFailure) {
        try Self.standFirst()
        // Three pages' worth of statm: size of the program now, in pages.
        let pages = Int(try Files.read("/proc/self/statm").split(separator: " ").first ?? "") ?? 0
        // Its own share and what malloc may want beside it: a mistake here must not take the machine.
        let most = rlim_t(pages * Self.page + bytes + (64 << 20))
        var limit = rlimit(rlim_cur: most, rlim_max: most)
        guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else {
            throw systemFailure("limit its own memory")
        }
        let mapped = mmap(
            nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw systemFailure("take \(ByteCount.text(Int64(bytes))) of memory")
        }
        base = mapped
        count = bytes
        var done = 0
        while done < count {
            let size = min(Self.step, count - done)
            let room = try MemoryRoom.now()
            guard room.available - Int64(size) >= keep else {
                throw LabFailure(
                    kind: .failed,
                    message:
                        "after \(ByteCount.text(Int64(done))) of \(ByteCount.text(Int64(count))) only \(ByteCount.text(room.available)) of the machine's memory are available; \(ByteCount.text(keep)) stay free"
                )
            }
            write(done..<(done + size))
            done += size
        }
    }

    deinit { munmap(base, count) }

    /// Every page again: what is not used is swapped out.
    func touch() { write(0..<count) }

    /// Something else in each page, so that none can be merged with another.
    private func write(_ range: Range<Int>) {
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: Self.page) {
            let place = base.advanced(by: offset)
            let old = place.load(as: Int.self)
            place.storeBytes(of: old &+ offset &+ 1, as: Int.self)
        }
    }

    private static func standFirst() throws(LabFailure) {
        try Files.set("/proc/self/oom_score_adj", to: "1000")
    }
}
