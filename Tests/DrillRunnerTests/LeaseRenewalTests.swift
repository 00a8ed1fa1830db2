import DrillCore
import DrillRunner
import Glibc
import Testing

private final class Ear: LabConnection {
    let descriptor: Int32 = -1
    var heard: [LabRequest] = []
    func send(_ request: LabRequest) { heard.append(request) }
    func receive() -> [LabMessage]? { [] }
    func close() -> String { "" }
    func leave() {}
}

struct LeaseRenewalTests {
    private struct Refused: Error {}

    @Test func `a lease is renewed while the controller is at work, and not after`() throws {
        let ear = Ear()
        let answer = LeaseRenewal.during(ear, every: .milliseconds(20)) {
            usleep(1_000_000)
            return 7
        }
        let heard = ear.heard
        #expect(answer == 7)
        #expect(heard.count >= 5)
        #expect(heard.allSatisfy { $0.command == .renew })
        usleep(200_000)
        #expect(ear.heard == heard)
        #expect(throws: Refused.self) {
            try LeaseRenewal.during(ear, every: .milliseconds(20)) { throw Refused() }
        }
        LeaseRenewal.during(nil, every: .milliseconds(1)) { _ = usleep(20_000) }
    }
}
