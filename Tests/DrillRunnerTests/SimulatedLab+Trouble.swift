import DrillCore
import DrillRunner

extension SimulatedLab {
    /// What goes wrong, for the tests of trouble.
    struct Trouble {
        /// Requests that are answered with a failure, by what they contain.
        var failing: (LabCommand) -> Bool = { _ in false }
        /// No lab is built after the first one.
        var failsToRebuild = false
        /// The supervisor ends at this request.
        var goneAtRequest: Int?
        /// From this request on the supervisor hangs: it lives and answers nothing.
        var muteFromRequest: Int?
        /// A host ends by itself with this request.
        var hostEndsAtRequest: Int?
        /// A signal arrives with this request.
        var interruptAtRequest: Int?
        var neverTakesOver = false
        /// The silenced host answers all the same.
        var leaks = false
        /// Faults of links are accepted and do nothing.
        var hasIdleLinks = false
        /// The lab takes everything back, so long after it was built, once.
        var healsAt: Duration?
        /// The lab takes everything back just before it carries this request out.
        var healsBeforeRequest: Int?
        /// And does not carry it out.
        var refusesHealed = false
        var neverSteady = false
        /// Of the machine that the lab is built on.
        var lacking = LabCapabilities()
        /// How long reading back takes; nil: it never says anything.
        var readingTakes: Duration? = .milliseconds(300)
        /// Reading back ends at once, with this reason.
        var readingFails: String?
        /// The supervisor ends while this sweep is read.
        var goneAtSweep: Int?
        /// A signal arrives while this sweep is read.
        var interruptAtSweep: Int?
        /// The process that asks for roles ends so long after it was started, as often as it is.
        var watchEndsAfter: Duration?
        /// b says that it is in step, whatever became of a.
        var alwaysRedundant = false
    }
}
