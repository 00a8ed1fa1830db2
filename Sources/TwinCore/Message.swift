/// What two nodes say to each other. One fixed shape of integers, whatever the kind: see `Kind` for what a field means.
package struct Message: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// Primary to all. flag: the standby is in sync; mark: serial of that statement; first: committed through;
        /// last: end of the log; stamp: when it was sent, by the sender's clock.
        case heartbeat = 1
        /// flag and mark: the statement that the answering node has on disk; last: end of its log; first: 1 where
        /// that is known to be a part of the primary's; stamp: returned.
        case heartbeatAnswer
        /// Candidate to the witness. epoch: asked for; flag: the primary of the epoch `mark` has let go; stamp: when.
        case voteRequest
        /// stamp: returned.
        case granted
        /// epoch: the refusing node's own; stamp: how long to wait before asking again.
        case refused
        /// Primary to standby in a switchover: I have let go of `epoch`, and my log ends at `last`.
        case released
        /// Standby to primary: my log ends at `last`, in a record of the epoch `mark`.
        case follow
        /// Primary to standby: my log has the record `last`, of the epoch `mark`; cut off what does not go with it.
        /// first and stamp: `last` and `mark` of the question.
        case cut
        /// Records `first` to `last`, all of the epoch `mark`; the one before them is of the epoch `stamp`.
        case append
        /// Standby to primary: everything through `last` is in my log.
        case appended

        /// Goes over the replication link, which keeps order; the rest are datagrams.
        package var isReplication: Bool {
            switch self {
            case .follow, .cut, .append, .appended: true
            case .heartbeat, .heartbeatAnswer, .voteRequest, .granted, .refused, .released: false
            }
        }
    }

    package var kind: Kind
    /// Nodes: 0 and 1 hold data, 2 is the witness.
    package var from: UInt8
    package var to: UInt8
    package var flag = false
    package var epoch: Int64
    package var first: Int64 = 0
    package var last: Int64 = 0
    package var mark: Int64 = 0
    package var stamp: Int64 = 0

    package init(_ kind: Kind, from: UInt8, to: UInt8, epoch: Int64) {
        self.kind = kind
        self.from = from
        self.to = to
        self.epoch = epoch
    }
}
