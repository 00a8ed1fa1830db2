import ArgumentParser
import DrillCore
import DrillReport
import Glibc

/// Writes a line to standard error; standard output is for results.
func complain(_ text: String) { writeError(PlainText.lines(text) + "\n") }

/// Prints what may hold words of files and names of folders.
func show(_ text: String) { print(PlainText.lines(text)) }

/// Writes to standard error without a buffer, so that nothing is lost or out of order.
package func writeError(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
    }
}

/// Opens the standard descriptors that whoever started us has closed: else the first file we open takes their number,
/// and what is meant for a person is written into it.
func openStandardDescriptors() {
    while true {
        let number = open("/dev/null", O_RDWR)
        guard number >= 0, number <= STDERR_FILENO else {
            if number >= 0 { close(number) }
            return
        }
    }
}

/// Prints what waits in standard output's buffer.
func flushOutput() { fflush(nil) }

extension DrillCore.ExitCode {
    /// 143 says that we were told to end; Ctrl-C and a closed terminal are a person's.
    static func interruption(by signal: Int32) -> Self {
        signal == SIGTERM ? .terminated : .interrupted
    }

    /// Ends the command with this code and nothing more printed.
    var exit: ArgumentParser.ExitCode { ArgumentParser.ExitCode(rawValue) }
}

/// Ends the command with a sentence on standard error.
struct Failure: Error, CustomStringConvertible {
    let code: DrillCore.ExitCode
    let message: String

    var description: String { message }

    /// Prints the failure and turns it into the exit that ArgumentParser passes on.
    static func reporting<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as Failure {
            complain("firedrill: \(failure.message)")
            throw failure.code.exit
        } catch let code as ArgumentParser.ExitCode {
            throw code
        } catch {
            // ArgumentParser would end with 1, which says that the system failed.
            complain("firedrill: \(error)")
            throw DrillCore.ExitCode.internalError.exit
        }
    }
}
