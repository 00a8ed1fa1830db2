import CNetlink
import Glibc

extension NetlinkSocket {
    /// The filters at one hook, hash tables of u32 included, as the kernel orders them.
    /// Empty when the link has no clsact.
    package func filters(
        _ index: InterfaceIndex, _ hook: TrafficHook
    ) throws(NetlinkError) -> [Filter] {
        try filters(index, parent: hook.parent)
    }

    /// The filters of a qdisc or class.
    package func filters(
        _ index: InterfaceIndex, parent: TrafficHandle
    ) throws(NetlinkError) -> [Filter] {
        var request = try RequestBuilder("list filters of link \(index)", type: RTM_GETTFILTER)
        var header = tcmsg()
        header.tcm_ifindex = index.rawValue
        header.tcm_parent = parent.rawValue
        request.append(header)
        return try dump(request.finish()).compactMap(Filter.init)
    }

    /// Adds the filter and reads it back. The link must have a clsact (`ensureClsact`).
    ///
    /// Throws EEXIST when the slot is taken, EPROTO when the kernel has something else than was set
    /// (the filter is then still there, and the error says so).
    package func redirect(_ redirect: Redirect) throws(NetlinkError) -> InstalledRedirect {
        try self.redirect([redirect])[0]
    }

    /// Adds all rules of all of them with one system call, in order, and reads them back. When one
    /// fails, those that were added are removed again.
    package func redirect(_ redirects: [Redirect]) throws(NetlinkError) -> [InstalledRedirect] {
        var requests: [NetlinkRequest] = []
        for redirect in redirects {
            for number in redirect.rules.indices {
                requests.append(try Self.addition(of: redirect, rule: number))
            }
        }
        guard !requests.isEmpty else { return [] }
        var outcomes = try perform(requests)[...]
        var installed: [InstalledRedirect] = []
        var failure: NetlinkError?
        for redirect in redirects {
            var handles: [UInt32] = []
            for _ in redirect.rules {
                do throws(NetlinkError) {
                    // NLM_F_ECHO: the kernel answers with what it made, and so with the handle.
                    guard
                        let filter = try outcomes.removeFirst().get().compactMap(Filter.init).first
                    else {
                        throw NetlinkError(
                            operation: "learn the handle of \(redirect)", errno: EBADMSG)
                    }
                    handles.append(filter.handle)
                } catch {
                    failure = failure ?? Self.taken(error, redirect)
                }
            }
            installed.append(InstalledRedirect(redirect: redirect, handles: handles))
        }
        do throws(NetlinkError) {
            if let failure { throw failure }
            for one in installed { try verify(one) }
        } catch {
            throw undo(installed, after: error)
        }
        return installed
    }

    /// The failure, or that of undoing its beginnings with the failure named in it.
    private func undo(_ installed: [InstalledRedirect], after failure: NetlinkError) -> NetlinkError
    {
        do throws(NetlinkError) {
            try removeRedirects(installed)
            return failure
        } catch {
            return NetlinkError(
                operation: "\(error.operation), after \(failure)", errno: error.errno,
                extendedAck: error.extendedAck)
        }
    }

    /// Makes a switch port deaf and dumb with one system call, while the link of the host behind it
    /// stays up, as when the host's power is cut: everything in both directions to a sink that is
    /// down. It comes before every other redirect of the port; EEXIST when it is silent already.
    package func silence(
        _ port: InterfaceIndex, sink: InterfaceIndex
    ) throws(NetlinkError) -> [InstalledRedirect] {
        try redirect(
            TrafficHook.allCases.map { Redirect(port: port, hook: $0, sink: sink, slot: 1) })
    }

    /// u32 answers ENOSPC to a number that is in use.
    private static func taken(_ error: NetlinkError, _ redirect: Redirect) -> NetlinkError {
        guard error.errno == ENOSPC, redirect.slot != nil else { return error }
        return NetlinkError(
            operation: error.operation, errno: EEXIST, extendedAck: error.extendedAck)
    }

    /// Throws ENOENT when a rule of it is gone, EPROTO when another has its place or it differs.
    package func verify(_ installed: InstalledRedirect) throws(NetlinkError) {
        let operation = "read back \(installed.redirect)"
        let redirect = installed.redirect
        let wanted = U32Rule.Mirred(
            sink: redirect.sink, mode: TCA_EGRESS_REDIR, verdict: TC_ACT_STOLEN)
        for (keys, filter) in zip(redirect.rules, try filters(installed, operation)) {
            guard
                let rule = filter.rule, rule.keys == keys,
                rule.inputInterface == redirect.arrivalPort, rule.actions == [.mirred(wanted)],
                filter.index == redirect.port, filter.parent == redirect.hook.parent,
                filter.preference == redirect.hook.preference,
                filter.etherType == UInt16(ETH_P_ALL)
            else { throw .readBack(operation, set: "\(redirect)", found: "\(filter)") }
        }
    }

    /// What went through the redirect so far, all its rules together. Throws ENOENT when one is gone.
    package func counters(of installed: InstalledRedirect) throws(NetlinkError) -> TrafficCounters {
        let operation = "read the counters of \(installed.redirect)"
        var sum = TrafficCounters()
        for filter in try filters(installed, operation) {
            guard let counters = filter.counters else {
                throw NetlinkError(operation: operation, errno: ENOENT)
            }
            sum.add(counters)
        }
        return sum
    }

    /// One for each rule; throws ENOENT when one is gone.
    private func filters(
        _ installed: InstalledRedirect, _ operation: String
    ) throws(NetlinkError) -> [Filter] {
        var requests: [NetlinkRequest] = []
        for handle in installed.handles {
            requests.append(
                try Self.naming(installed.redirect, handle, operation, RTM_GETTFILTER))
        }
        guard installed.handles.count == installed.redirect.rules.count else {
            throw NetlinkError(operation: operation, errno: ENOENT)
        }
        var found: [Filter] = []
        for outcome in try perform(requests) {
            guard let filter = try outcome.get().compactMap(Filter.init).first else {
                throw NetlinkError(operation: operation, errno: ENOENT)
            }
            found.append(filter)
        }
        return found
    }

    /// Removes the filter and asks whether it is gone. Throws ENOENT when it was gone already.
    package func removeRedirect(_ installed: InstalledRedirect) throws(NetlinkError) {
        try removeRedirects([installed])
    }

    /// Removes all with one system call and asks whether they are gone. Every one is tried; the
    /// first refusal is thrown.
    package func removeRedirects(_ installed: [InstalledRedirect]) throws(NetlinkError) {
        var requests: [NetlinkRequest] = []
        for one in installed {
            for handle in one.handles {
                requests.append(
                    try Self.naming(one.redirect, handle, "remove \(one)", RTM_DELTFILTER))
            }
        }
        guard !requests.isEmpty else { return }
        let outcomes = try perform(requests)
        var places: [Redirect] = []
        for redirect in installed.map(\.redirect)
        where !places.contains(where: { $0.port == redirect.port && $0.hook == redirect.hook }) {
            places.append(redirect)
            try removeEmptyClassifier(redirect)
        }
        for outcome in outcomes { _ = try outcome.get() }
        for one in installed where try isInstalled(one) {
            throw .readBack("remove \(one)", set: "its absence", found: "it still")
        }
    }

    /// The kernel removes a u32 classifier with its last rule only when no other u32 hangs at either
    /// hook of the link; else an empty hash table would stay behind.
    private func removeEmptyClassifier(_ redirect: Redirect) throws(NetlinkError) {
        let ours = try filters(redirect.port, redirect.hook).filter {
            $0.preference == redirect.hook.preference && $0.kind == "u32"
        }
        guard !ours.isEmpty, ours.allSatisfy({ $0.rule == nil }) else { return }
        var request = try RequestBuilder(
            "remove the empty classifier at \(redirect.hook) of link \(redirect.port)",
            type: RTM_DELTFILTER)
        request.append(Self.header(redirect, handle: 0))
        request.put(TCA_KIND, string: "u32")
        try perform(request.finish())
    }

    /// Whether any rule of it is there.
    package func isInstalled(_ installed: InstalledRedirect) throws(NetlinkError) -> Bool {
        for handle in installed.handles {
            do throws(NetlinkError) {
                let reply = try perform(
                    Self.naming(installed.redirect, handle, "look for \(installed)", RTM_GETTFILTER)
                )
                if reply.contains(where: { Filter($0) != nil }) { return true }
            } catch {
                // EINVAL: without a clsact there is no place in which to look.
                guard error.errno == ENOENT || error.errno == EINVAL else { throw error }
            }
        }
        return false
    }

    // MARK: messages

    private static func naming(
        _ redirect: Redirect, _ handle: UInt32, _ operation: String, _ type: some BinaryInteger
    ) throws(NetlinkError) -> NetlinkRequest {
        var request = try RequestBuilder(operation, type: type)
        request.append(header(redirect, handle: handle))
        request.put(TCA_KIND, string: "u32")
        return try request.finish()
    }

    private static func addition(
        of redirect: Redirect, rule number: Int
    ) throws(NetlinkError) -> NetlinkRequest {
        var request = try RequestBuilder(
            "redirect \(redirect)", type: RTM_NEWTFILTER,
            flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO)
        // The number alone, without that of the hash table: the table of a second u32 on a link is
        // not 800:, and the kernel fills in the one that it is.
        request.append(
            header(redirect, handle: redirect.slot.map { UInt32($0) + UInt32(number) } ?? 0))
        request.put(TCA_KIND, string: "u32")
        request.nest(TCA_OPTIONS) { request in
            request.put(TCA_U32_SEL, bytes: selector(redirect.rules[number]))
            if let arrival = redirect.arrivalPort {
                request.put(TCA_U32_INDEV, string: arrival.rawValue)
            }
            request.nest(TCA_U32_ACT) { request in
                request.nest(1) { request in
                    request.put(TCA_ACT_KIND, string: "mirred")
                    request.nest(TCA_ACT_OPTIONS) { request in
                        var mirred = [UInt8](repeating: 0, count: 28)
                        mirred.store(TC_ACT_STOLEN, at: 8)
                        mirred.store(TCA_EGRESS_REDIR, at: 20)
                        mirred.store(redirect.sink.rawValue, at: 24)
                        request.put(TCA_MIRRED_PARMS, bytes: mirred)
                    }
                }
            }
        }
        return try request.finish()
    }

    /// struct tc_u32_sel with its keys; terminal: without that flag its actions never run.
    private static func selector(_ keys: [U32Rule.Key]) -> [UInt8] {
        var selector = [UInt8](repeating: 0, count: 16 + 16 * keys.count)
        selector[0] = UInt8(TC_U32_TERMINAL)
        selector[2] = UInt8(keys.count)
        for (number, key) in keys.enumerated() {
            selector.store(key.mask.bigEndian, at: 16 + 16 * number)
            selector.store(key.value.bigEndian, at: 20 + 16 * number)
            selector.store(key.offset, at: 24 + 16 * number)
            selector.store(key.offsetMask, at: 28 + 16 * number)
        }
        return selector
    }

    private static func header(_ redirect: Redirect, handle: UInt32) -> tcmsg {
        var header = tcmsg()
        header.tcm_ifindex = redirect.port.rawValue
        header.tcm_parent = redirect.hook.parent.rawValue
        header.tcm_handle = handle
        header.tcm_info =
            UInt32(redirect.hook.preference) << 16 | UInt32(UInt16(ETH_P_ALL).bigEndian)
        return header
    }
}
