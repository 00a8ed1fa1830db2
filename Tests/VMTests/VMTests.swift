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
}
