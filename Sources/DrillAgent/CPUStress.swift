import CLinux
import DrillCore
import Glibc

/// Threads that want the CPUs for a share of their time.
enum CPUStress {
    private static let period: Int64 = 10_000_000

    /// - Parameters:
    ///   - workers: 0: one for each CPU that this process may use.
    ///   - load: 0...1, of each worker's time.
    /// - Returns: how many were begun.
    static func begin(workers: Int, load: Double) throws(LabFailure) -> Int {
        let count = workers > 0 ? workers : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        for number in 1...count {
            let share = UnsafeMutablePointer<Double>.allocate(capacity: 1)
            share.initialize(to: load)
            var thread = pthread_t()
            let error = pthread_create(
                &thread, nil,
                { share in
                    CPUStress.work(share!.assumingMemoryBound(to: Double.self).pointee)
                }, share)
            if error != 0 { throw systemFailure("begin worker \(number) of \(count)", error) }
        }
        return count
    }

    /// Busy from each period's beginning on, at absolute times, so that what a sleep is late by is not lost.
    private static func work(_ load: Double) -> Never {
        var next = clinux_monotonic_ns()
        while true {
            let end = next + Int64(load * Double(period))
            var now = next
            while now < end { now = clinux_monotonic_ns() }
            next += period
            // After it was frozen it does not work off what it missed.
            if now > next + period { next = now }
            if load < 1 { sleep(until: next) }
        }
    }

    private static func sleep(until instant: Int64) {
        var time = timespec(
            tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}
