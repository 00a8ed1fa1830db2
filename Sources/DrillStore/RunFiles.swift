package import DrillCore
internal import DrillReport

/// A run's own files by trial, listed once: to list them anew for each trial costs the square of their number.
package struct RunFiles: Sendable {
    private let folder: RunFolder
    private let names: [String]
    private let ofTrials: [TrialName: [String]]

    package init(of folder: RunFolder) {
        self.folder = folder
        names = folder.names(in: nil)
        var ofTrials: [TrialName: [String]] = [:]
        for name in names {
            if let trial = TrialName(file: name) { ofTrials[trial, default: []].append(name) }
        }
        self.ofTrials = ofTrials
    }

    /// Trials of which anything was written, in order.
    package var trials: [TrialName] {
        ofTrials.filter { _, names in
            names.contains { $0.contains(".ops") || $0.hasSuffix(".events.jsonl") }
        }.keys.sorted()
    }

    /// A trial's operations and events, whatever of them there is.
    ///
    /// A CSV file is read in place of binary ones; a line that a crash cut off ends the events. Hosts have their
    /// names wherever an `identity` event tells them.
    ///
    /// - Parameter forPictures: leave out what no picture shows, which is nearly all of a ledger's events: the keys
    ///   that were read back. What an analysis found of them is in its report.
    package func history(
        of trial: TrialName, forPictures: Bool = false
    ) throws(StoreError) -> History {
        let names = ofTrials[trial] ?? []
        let csv = "\(trial.stem).ops.csv"
        var streams: [OperationStream] = []
        var gaps: [String] = []
        for name in names where name.hasSuffix(".ops") {
            let bytes = try folder.read(name)
            do {
                let contents = try OperationsFile.decode(bytes)
                streams += contents.streams
                // Also beside a CSV file, which was made of it.
                if !contents.isComplete { gaps.append("\(name) is cut off before its end") }
            } catch {
                guard names.contains(csv) else {
                    throw StoreError("\(folder.file(name)): \(error)")
                }
                gaps.append("\(name) cannot be read")
            }
        }
        if names.contains(csv) {
            let bytes = try folder.read(csv)
            do {
                streams = try OperationsCSV.parse(bytes, file: folder.file(csv))
            } catch {
                throw StoreError(error.description)
            }
        }
        var events: [HistoryEvent] = []
        let name = "\(trial.stem).events.jsonl"
        if names.contains(name) {
            let file = EventsFile(path: folder.file(name), forPictures: forPictures)
            events = try file.events(in: try folder.read(name))
        }
        let history = History(streams: streams, events: events, gaps: gaps)
        guard history.isPlausible else {
            throw StoreError(
                "\(folder.file(trial.stem)): instants lie more than \(History.longest.spelled) apart; no trial is that long"
            )
        }
        return history.namingHosts()
    }

    /// What `history` reads, as it is now.
    package func stamps(of trial: TrialName) -> [FileStamp] {
        (ofTrials[trial] ?? []).compactMap { FileStamp($0, at: folder.file($0)) }
    }

    /// The digests of the files that a report rests on.
    package func evidence() throws(StoreError) -> [Evidence] {
        var evidence: [Evidence] = []
        for name in names
        where TrialName(file: name) != nil
            || ["scenario.yaml", "system.yaml", "run.json"].contains(name)
        {
            evidence.append(Evidence(file: name, sha256: SHA256.hex(try folder.read(name))))
        }
        return evidence
    }
}
