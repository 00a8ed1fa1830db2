import CNetlink
import Glibc

/// Hears of every address that comes to a namespace or leaves it, IPv4 and IPv6.
package struct AddressMonitor: ~Copyable {
    package enum Reading: Hashable, Sendable {
        /// In the kernel's order; empty when nothing was queued. A repeated announcement of an
        /// address that is known (IPv6 does that when a lifetime changes) is no change.
        case changes([AddressChange])
        /// The kernel had to throw notifications away: only a `dump()` tells what is true now.
        case overrun
    }

    private struct Key: Hashable {
        let index: InterfaceIndex
        let address: String
        let prefixLength: Int
    }

    private let socket: NetlinkSocket
    private var known: Set<Key> = []

    /// Listens from now on; what is there already is told by `dump()`. `receiveBuffer` in bytes is
    /// room for about one change per kilobyte.
    package init(
        in namespace: borrowing NetworkNamespace, receiveBuffer: Int32 = 1 << 20
    ) throws(NetlinkError) {
        let socket = try NetlinkSocket(
            in: namespace, groups: [RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR])
        try socket.setReceiveBuffer(bytes: receiveBuffer)
        self.socket = socket
    }

    /// Readable when `read()` has something to say.
    package var fileDescriptor: Int32 { socket.fileDescriptor }

    /// Everything that is queued, without waiting.
    package mutating func read() throws(NetlinkError) -> Reading {
        var changes: [AddressChange] = []
        do throws(NetlinkError) {
            while true {
                let replies = try socket.receive("listen for addresses", wait: false)
                if replies.isEmpty { return .changes(changes) }
                for reply in replies { note(reply, &changes) }
            }
        } catch {
            // What was read before the overrun is in `known`, so that the dump which must follow
            // reports it again or reports its absence.
            if error.errno == ENOBUFS { return .overrun }
            throw error
        }
    }

    /// What was queued, then fresh evidence: every address that is there as present, and those as
    /// absent that were there when last heard of and are not now.
    package mutating func dump() throws(NetlinkError) -> [AddressChange] {
        var changes: [AddressChange] = []
        var notifications: [NetlinkReply] = []
        var replies: [NetlinkReply]?
        while replies == nil {
            // A full queue would have no room for the dump, nor for the refusal of it.
            try drain(into: &notifications)
            do throws(NetlinkError) {
                replies = try socket.dump(NetlinkSocket.listAddresses()) {
                    notifications.append($0)
                }
            } catch {
                guard error.errno == ENOBUFS else { throw error }
            }
        }
        // Notifications and dump share one queue: what came before the dump was true before it, and
        // a table that changed meanwhile was read again. So the dump has the last word.
        for reply in notifications { note(reply, &changes) }
        let present = (replies ?? []).compactMap(InterfaceAddress.init).map(Self.key)
        for key in known.subtracting(present).sorted(by: Self.order) {
            changes.append(Self.change(key, present: false))
        }
        changes += present.map { Self.change($0, present: true) }
        known = Set(present)
        return changes
    }

    private func drain(into notifications: inout [NetlinkReply]) throws(NetlinkError) {
        var isEmpty = false
        while !isEmpty {
            do throws(NetlinkError) {
                let replies = try socket.receive("listen for addresses", wait: false)
                // Leftovers of a dump that failed are no notifications.
                notifications += replies.filter { $0.flags & UInt16(NLM_F_MULTI) == 0 }
                isEmpty = replies.isEmpty
            } catch {
                guard error.errno == ENOBUFS else { throw error }
            }
        }
    }

    private mutating func note(_ reply: NetlinkReply, _ changes: inout [AddressChange]) {
        guard let address = InterfaceAddress(reply) else { return }
        let key = Self.key(address)
        switch Int(reply.type) {
        case RTM_NEWADDR where known.insert(key).inserted:
            changes.append(Self.change(key, present: true))
        case RTM_DELADDR:
            known.remove(key)
            changes.append(Self.change(key, present: false))
        default:
            break
        }
    }

    private static func key(_ address: InterfaceAddress) -> Key {
        Key(index: address.index, address: address.address, prefixLength: address.prefixLength)
    }

    private static func order(_ left: Key, _ right: Key) -> Bool {
        (left.index, left.address) < (right.index, right.address)
    }

    private static func change(_ key: Key, present: Bool) -> AddressChange {
        AddressChange(
            index: key.index, address: key.address, prefixLength: key.prefixLength, present: present
        )
    }
}
