package import DrillCore
import Glibc

/// What the connections of one engine share: a buffer to receive into, and the names of hosts that answered.
package final class ClientWorkspace {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    package private(set) var hosts: [HostName] = []
    private var spellings: [[UInt8]] = []

    package init() {}
    deinit { buffer.deallocate() }

    /// The index of the host of that name, which is made where it is new; at most 64 are told apart.
    func index(ofHost name: UnsafeRawBufferPointer) -> Int {
        for index in spellings.indices where spellings[index].count == name.count {
            if spellings[index].withUnsafeBytes({
                memcmp($0.baseAddress!, name.baseAddress!, name.count) == 0
            }) {
                return index
            }
        }
        guard name.count > 0, spellings.count < 64 else { return -1 }
        spellings.append(Array(name))
        hosts.append(HostName(String(decoding: name, as: UTF8.self)))
        return hosts.count - 1
    }
}
