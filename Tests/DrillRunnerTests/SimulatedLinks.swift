import DrillCore

/// The links of the simulated lab: what probes of paths see of delays and losses. Every packet takes 50 µs.
struct SimulatedLinks {
    /// Faults are accepted and do nothing.
    var isIdle = false
    private var treatments:
        [(link: LinkDirection, treatment: LinkTreatment, from: RunInstant, to: RunInstant?)] = []
    private var silences: [(host: HostName, from: RunInstant, to: RunInstant?)] = []
    private var paths: [String: (path: ProbePath, since: RunInstant)] = [:]
    private var generator = SeededGenerator(seed: 7, stream: 0)

    mutating func note(_ operation: FaultOperation, _ now: RunInstant) {
        switch operation {
        case .lab(.attach(let link, let treatment)):
            treatments.append((link, treatment, now, nil))
        case .lab(.detach(let link, let treatment)):
            for index in treatments.indices.reversed()
            where treatments[index].to == nil && treatments[index].link == link
                && treatments[index].treatment == treatment
            {
                treatments[index].to = now
                return
            }
        case .lab(.silence(let host)): silences.append((host, now, nil))
        case .lab(.unsilence(let host)), .lab(.boot(let host)):
            for index in silences.indices where silences[index].host == host {
                silences[index].to = silences[index].to ?? now
            }
        case .lab, .host: break
        }
    }

    mutating func start(_ paths: [ProbePath], _ now: RunInstant) {
        for path in paths { self.paths[path.id] = (path, now) }
    }

    mutating func stop(_ ids: [String], _ now: RunInstant) -> [ProbeBucket] {
        ids.compactMap { id in
            guard let (path, since) = paths.removeValue(forKey: id) else { return nil }
            var samples: [ProbeSample] = []
            let period = Duration.nanoseconds(Int64(1e9 / path.rate))
            var at = since
            while at < now {
                for number in 0..<path.train {
                    samples.append(sample(path, at, continues: number > 0))
                }
                at = at + period
            }
            return ProbeBucket(path: id, samples: samples)
        }
    }

    private mutating func sample(
        _ path: ProbePath, _ at: RunInstant, continues: Bool
    ) -> ProbeSample {
        var delay = Duration.microseconds(50)
        let isSilent = silences.contains {
            ($0.host == path.link.from || $0.host == path.link.to) && $0.from <= at
                && ($0.to.map { at < $0 } ?? true)
        }
        var isLost = isSilent
        for entry in treatments
        where !isIdle && entry.link == path.link && entry.treatment.covers(path.traffic)
            && entry.from <= at && (entry.to.map { at < $0 } ?? true)
        {
            switch entry.treatment.effect {
            case .sink: isLost = true
            case .impair(let impairment):
                delay += impairment.delay
                if case .random(let loss)? = impairment.loss, generator.unit() < loss.ratio {
                    isLost = true
                }
            }
        }
        return ProbeSample(sent: at, delay: isLost ? nil : delay, continuesTrain: continues)
    }

    /// What was attached and is there still.
    var leftovers: [String] {
        treatments.filter { $0.to == nil }.map { "\($0.link)" }
    }
}
