import DrillCore
import DrillEmulator
import Testing

@Suite struct MessageTests {
    @Test func aRequestSurvivesItsLine() throws {
        let request = EmulatorRequest(
            id: 1, command: .set("lane", Impairment(delay: .milliseconds(50))))
        #expect(
            try JSONLine.decode(EmulatorRequest.self, from: JSONLine.encode(request)) == request)
    }
}
