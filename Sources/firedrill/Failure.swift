import ArgumentParser
import DrillCore
import Glibc

/// Writes to standard error; standard output is for results.
func complain(_ text: String) {
    fputs(text + "\n", stderr)
}

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
