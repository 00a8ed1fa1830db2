/// A mistake that the simulator must find: each breaks one rule of `TwinCore`, or of the disk under it. Only the simulator
/// plants them: `twin` has no option for it, and `tools/tidy` keeps the word out of its sources.
package enum PlantedBug: CaseIterable, Hashable, Sendable {
    // Epochs.
    case epochOffByOne
    case adoptsEqualEpoch
    case voteNotKept
    case grantNotKept
    case grantTakenTwice

    // What is on record about the standby.
    case statementNotKept
    case answeredBeforeKept
    case olderStatementTaken
    case serialNotReset
    case serialOffByOne
    case outOfSyncElected
    case grantKeepsInSync
    case staleSync
    case levelTooSoon

    // Leases and promises.
    case witnessBreaksPromise
    case witnessRestartDoesNotWait
    case leaseAsLongAsPromise
    case leaseFromAnswer
    case servesPastLease
    case electedDoesNotWait
    case standbyForgetsPromise

    // Acknowledging.
    case acknowledgesWhenSent
    case leavingAcknowledges
    case unmatchedCounts
    case aloneForgetsWaiting

    // The log.
    case confirmsBeforeStored
    case cutOneTooFew
    case cutNotKept
    case gapAccepted
    case epochOfMessage
    case batchAcrossEpochs

    // Going on.
    case handoverStaysPrimary
    case asksOnce
    case followsOnce
    case neverLate

    // The shell around the machine, as it is simulated.
    case storeNotSynced
    case recordNotSynced
    case startNotSynced
    case readsUncommitted

    /// `epoch-off-by-one`.
    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
    }

    /// What it does wrong.
    package var summary: String {
        switch self {
        case .epochOffByOne: "a candidate asks for the epoch that is, not for the next"
        case .adoptsEqualEpoch: "an epoch that is as high counts as a newer one"
        case .voteNotKept: "the witness does not keep its vote"
        case .grantNotKept: "a primary does not keep the epoch that it was granted"
        case .grantTakenTwice: "a grant that comes again is taken again"
        case .statementNotKept: "the witness does not keep what it is told about the standby"
        case .answeredBeforeKept: "the witness answers a statement before it has kept it"
        case .olderStatementTaken: "a statement that arrives late replaces a newer one"
        case .serialNotReset: "a new epoch's statements count on from the last one's"
        case .serialOffByOne: "an answer to the statement before counts as one to the last"
        case .outOfSyncElected: "the witness elects a standby that is on record as out of sync"
        case .grantKeepsInSync: "a new primary's peer stays on record as in sync"
        case .staleSync: "a new primary believes what it last knew about its standby"
        case .levelTooSoon: "a standby is called in sync before it has what was acknowledged"
        case .witnessBreaksPromise: "the witness votes although it answered a heartbeat just now"
        case .witnessRestartDoesNotWait: "a witness that restarted votes at once"
        case .leaseAsLongAsPromise: "a lease leaves no room for clocks of other rates"
        case .leaseFromAnswer: "a lease counts from the answer, not from the question"
        case .servesPastLease: "a primary serves on when its lease is over"
        case .electedDoesNotWait: "an elected node does not wait for its own promise to end"
        case .standbyForgetsPromise: "a standby's answer promises nothing"
        case .acknowledgesWhenSent: "a write is acknowledged when it was sent to the standby"
        case .leavingAcknowledges:
            "writes are acknowledged alone before the standby is on record as out of sync"
        case .unmatchedCounts: "a standby counts whose log is not a part of the primary's"
        case .aloneForgetsWaiting:
            "once the standby is on record as out of sync, the writes that waited for it are not acknowledged"
        case .confirmsBeforeStored: "a standby confirms records before it has stored them"
        case .cutOneTooFew: "a standby cuts one record too few"
        case .cutNotKept: "a standby cuts its memory of the log and not the log"
        case .gapAccepted: "a standby takes records that leave a gap"
        case .epochOfMessage: "records are stored under the epoch in which they were sent"
        case .batchAcrossEpochs: "one message holds records of two epochs"
        case .handoverStaysPrimary: "a primary that hands over serves on"
        case .asksOnce: "a candidate asks once"
        case .followsOnce: "a standby asks once where to follow"
        case .neverLate: "a standby that answers and takes no records is waited for"
        case .storeNotSynced: "a standby's records are not synced to disk"
        case .recordNotSynced: "epoch and vote are not synced to disk"
        case .startNotSynced: "a node that starts does not sync what it finds"
        case .readsUncommitted: "a read that waited shows what was written meanwhile"
        }
    }
}
