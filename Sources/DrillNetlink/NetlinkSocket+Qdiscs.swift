import CNetlink
import Glibc

extension NetlinkSocket {
    /// All of the link's, in the kernel's order.
    package func qdiscs(_ index: InterfaceIndex) throws(NetlinkError) -> [Qdisc] {
        var request = try RequestBuilder("list qdiscs of link \(index)", type: RTM_GETQDISC)
        var header = tcmsg()
        header.tcm_ifindex = index.rawValue
        request.append(header)
        // Kernels may answer with every link's, whatever was asked.
        return try dump(request.finish()).compactMap(Qdisc.init).filter { $0.index == index }
    }
}
