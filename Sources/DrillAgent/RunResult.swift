import DrillCore

/// What a program that was run to its end left.
struct RunResult: Sendable {
    var status: Int32
    /// Standard output and standard error, without the last newline.
    var output: String
    /// From just before its start to just after.
    var started: InstantInterval
}
