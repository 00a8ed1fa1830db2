import ArgumentParser
import DrillCore
import Glibc

/// Writes a line to standard error; standard output is for results.
func complain(_ text: String) { writeError(text + "\n") }

/// Writes to standard error without a buffer, so that nothing is lost or out of order.
func writeError(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
    }
}

/// Prints what waits in standard output's buffer.
func flushOutput() { fflush(nil) }

extension DrillCore.ExitCode {
    /// Ends the command with this code and nothing more printed.
    var exit: ArgumentParser.ExitCode { ArgumentParser.ExitCode(rawValue) }
}

/// Ends the command with a sentence on standard error.
struct Failure: Error {
    let code: DrillCore.ExitCode
    let message: String

    /// Prints the failure and turns it into the exit that ArgumentParser passes on.
    static func reporting<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as Failure {
            complain("firedrill: \(failure.message)")
            throw failure.code.exit
        }
    }
}
