import CLinux
import DrillCore
import Glibc

/// The clock on the wall.
enum RealTime {
    /// Nanoseconds since 1970.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// `probe disk`: how fast a host's programs write to its disk.
enum DiskProbe {
    private static let block = 16384

    /// Writes past the page cache into a file that goes with this process; prints the bytes and the nanoseconds.
    static func run(in folder: String, for duration: Duration) throws(LabFailure) {
        let path = "\(folder)/.firedrill-probe-\(getpid())-\(RunInstant.now.nanoseconds)"
        // O_DIRECT, which is not imported; x86 and ARM differ.
        #if arch(arm64)
            let direct: Int32 = 0o200000
        #else
            let direct: Int32 = 0o40000
        #endif
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | direct, mode: 0o600)
        guard unlink(path) == 0 else { throw systemFailure("take the name of \(path) away") }
        guard let buffer = aligned_alloc(4096, block) else { throw systemFailure("take memory") }
        defer { free(buffer) }
        memset(buffer, 0, block)
        let begun = RunInstant.now
        var count = 0
        while RunInstant.now < begun + duration {
            let written = write(file.number, buffer, block)
            guard written > 0 else { throw systemFailure("write to \(folder)") }
            count += written
        }
        print("\(count) \((.now - begun).nanoseconds)")
    }
}
