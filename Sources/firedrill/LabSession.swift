import DrillCore
import DrillLab
import Glibc

/// A lab that is asked one thing after the other, without a run around it.
final class LabSession {
    private let lab: NamespaceLab
    private let interrupts: Int32
    private var nextID = 1
    private var renewed = RunInstant.now
    private var isBuilt = false
    /// What loads have said, by name, since it was last taken.
    var loadEvents: [LoadEvent] = []

    init(log: String, interrupts: Int32) throws {
        do {
            lab = try NamespaceLab(agent: Files.beside("firedrill-agent"), log: log)
        } catch {
            throw Failure(code: .capability, message: error.message)
        }
        self.interrupts = interrupts
    }

    deinit { _ = lab.close() }

    /// Waits for the answer; a failure ends the command.
    @discardableResult
    func ask(_ command: LabCommand, atMost limit: Duration = .seconds(60)) throws -> LabReply {
        let id = nextID
        nextID += 1
        try lab.send(LabRequest(id: id, command: command))
        if case .build = command { isBuilt = true }
        let deadline = RunInstant.now + limit
        while RunInstant.now < deadline {
            for message in try receive(until: deadline) {
                guard case .reply(let reply) = message, reply.id == id else { continue }
                if let failure = reply.failure {
                    throw Failure(code: .capability, message: failure.message)
                }
                return reply
            }
        }
        throw Failure(code: .internalError, message: "the lab did not answer")
    }

    /// Lets time pass; the lab learns that its controller lives.
    func wait(until instant: RunInstant) throws {
        while RunInstant.now < instant {
            _ = try receive(until: instant)
            if isBuilt, RunInstant.now > renewed + .seconds(1) {
                renewed = .now
                try lab.send(LabRequest(id: nextID, command: .renew))
                nextID += 1
            }
        }
    }

    /// Removes everything; says what could not be.
    func tearDown() throws -> String? {
        let left = try ask(.teardown).detail["left_behind"]
        return left?.isEmpty == false ? left : nil
    }

    private func receive(until deadline: RunInstant) throws -> [LabMessage] {
        var descriptors = [
            pollfd(fd: interrupts, events: Int16(POLLIN), revents: 0),
            pollfd(fd: lab.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let left = max(0, min(500, (deadline - .now).nanoseconds / 1_000_000))
        guard poll(&descriptors, 2, Int32(left)) > 0 else { return [] }
        if descriptors[0].revents != 0 {
            // Closing the lab tears it down.
            _ = lab.close()
            throw DrillCore.ExitCode.interruption(by: Interrupts.caught).exit
        }
        guard let messages = try lab.receive() else {
            throw Failure(
                code: .capability, message: "the lab's supervisor ended: \(lab.close())")
        }
        for message in messages {
            if case .event(.load(_, let event)) = message { loadEvents.append(event) }
        }
        return messages
    }
}
