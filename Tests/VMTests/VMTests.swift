import Glibc
import Testing

/// The same bodies as everywhere, inside a virtual machine with Debian's stock kernel and its real sch_netem (tools/vm).
/// They fail where it cannot run.
@Suite(.serialized) struct VMTests {
    @Test func `netem does what we set, and the kernel and tc say so`() throws {
        let run = try VirtualMachine.tests("NetemTests")
        #expect(run.code == 0, "\(run.output)")
        #expect(run.output.contains("Suite NetemTests passed"), "\(run.output)")
    }

    /// Each in a machine of its own: what one leaves behind cannot help the other. The probes judge their own figures; a
    /// case that is not proven is in the table.
    @Test(arguments: ["netem", "emulator"])
    func `every link fault is proven beside the real netem`(backend: String) throws {
        let run = try VirtualMachine(
            script: """
                mkdir -p /var/tmp
                firedrill-agent prove-links --backend \(backend) --json
                """,
            programs: ["firedrill-agent"], memory: 384)
        let table = run.output.split(separator: "},{").joined(separator: "\n")
        func count(_ text: String) -> Int { run.output.split(separator: text).count - 1 }
        #expect(run.code == 0, "\(table)")
        #expect(count("\"fault\":") == 13, "\(table)")
        #expect(count("\"inEffect\":true") == 13, "\(table)")
        #expect(count("\"unclean\":[]") == 13, "\(table)")
    }
}
