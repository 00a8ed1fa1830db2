import DrillCore
import Glibc

/// The wall clock, the machine and the run's name; instants of measures never come from here.
enum RunClock {
    /// RFC 3339, UTC, seconds.
    static func timestamp() -> String { formatted("%Y-%m-%dT%H:%M:%SZ") }

    /// Sorts by time: `20261122-123456-k3f9`.
    static func newID(seed: UInt64) -> RunID {
        var generator = SeededGenerator(
            seed: seed, stream: UInt64(bitPattern: RunInstant.now.nanoseconds))
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
        let tail = (0..<4).map { _ in alphabet[Int(generator.next() % UInt64(alphabet.count))] }
        return RunID(formatted("%Y%m%d-%H%M%S") + "-" + String(tail))
    }

    static func kernel() -> String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        return withUnsafeBytes(of: name.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static func formatted(_ format: String) -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
