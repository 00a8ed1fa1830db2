import CNetlink
import Glibc

extension NetlinkSocket {
    package enum ClsactOwner: Hashable, Sendable {
        /// It was not there; this call made it. Hand it to `removeClsactIfOurs` at the end.
        case ours
        /// It was there. Leave it.
        case foreign
    }

    /// Sees to it that the link has the place where filters hang. One that is there stays as it is.
    ///
    /// Throws EEXIST when an `ingress` qdisc of someone else holds the place, which has no egress.
    package func ensureClsact(_ index: InterfaceIndex) throws(NetlinkError) -> ClsactOwner {
        let operation = "add clsact to link \(index)"
        do throws(NetlinkError) {
            try perform(Self.clsact(operation, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, index))
            return .ours
        } catch {
            guard error.errno == EEXIST else { throw error }
            guard try qdiscs(index).contains(where: { $0.kind == "clsact" }) else { throw error }
            return .foreign
        }
    }

    /// Removes the clsact that `ensureClsact` made, unless someone has hung filters into it since.
    /// Answers whether it was removed.
    @discardableResult
    package func removeClsactIfOurs(
        _ index: InterfaceIndex, _ owner: ClsactOwner
    ) throws(NetlinkError) -> Bool {
        switch owner {
        case .foreign:
            return false
        case .ours:
            for hook in TrafficHook.allCases where try !filters(index, hook).isEmpty {
                return false
            }
            try perform(
                Self.clsact("remove clsact from link \(index)", RTM_DELQDISC, 0, index))
            return true
        }
    }

    private static func clsact(
        _ operation: String, _ type: some BinaryInteger, _ flags: Int32, _ index: InterfaceIndex
    ) throws(NetlinkError) -> NetlinkRequest {
        var request = try RequestBuilder(operation, type: type, flags: flags)
        var header = tcmsg()
        header.tcm_ifindex = index.rawValue
        header.tcm_handle = 0xffff_0000
        header.tcm_parent = TrafficHandle.clsact.rawValue
        request.append(header)
        request.put(TCA_KIND, string: "clsact")
        return try request.finish()
    }
}
