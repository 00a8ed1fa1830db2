import DrillCore
import DrillNetlink
import Glibc

extension LabFailure {
    /// A kernel's refusal as the controller is told it; a missing privilege is a capability with its remedy.
    init(_ error: NetlinkError) {
        let isPrivilege = error.errno == EPERM || error.errno == EACCES
        self.init(
            kind: isPrivilege ? .capability : .failed,
            message: error.description + (isPrivilege ? " (the lab needs root)" : ""),
            errno: error.errno)
    }
}

func netlink<Value: ~Copyable>(
    _ body: () throws(NetlinkError) -> Value
) throws(LabFailure) -> Value {
    do {
        return try body()
    } catch {
        throw LabFailure(error)
    }
}
