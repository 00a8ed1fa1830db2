internal import DrillCore

/// A use's own parameters as values: what is absent has its default, else it is nil.
extension FaultUse {
    func duration(_ name: String) throws(FaultError) -> Duration? {
        try value(name, Quantity.duration, "a duration, such as 250ms")
    }

    /// 0...1
    func ratio(_ name: String) throws(FaultError) -> Double? {
        try value(name, Quantity.ratio, "a share, such as 1%")
    }

    /// In bits a second.
    func rate(_ name: String) throws(FaultError) -> UInt64? {
        try value(name, Quantity.rate, "a rate, such as 20Mbit/s")
    }

    /// In bytes.
    func size(_ name: String) throws(FaultError) -> Int64? {
        try value(name, Quantity.size, "a size, such as 64kB")
    }

    func offset(_ name: String) throws(FaultError) -> Duration? {
        try value(name, Quantity.offset, "a duration with a sign, such as -90s")
    }

    func count(_ name: String) throws(FaultError) -> Int? {
        try value(
            name, { Quantity.count($0).map { .success($0) } ?? .failure(.malformed) },
            "a whole number")
    }

    func text(_ name: String) -> String? {
        parameters[name]
            ?? FaultCatalog.named(fault)?.description.parameters
            .first { $0.name == name }?.defaultValue
    }

    /// The value, or the error that names what is missing.
    func needed<T>(_ value: T?, _ name: String, _ example: String) throws(FaultError) -> T {
        guard let value else {
            throw FaultError(
                "\(fault) needs '\(name)'", parameter: name, hint: "such as \(name): \(example)")
        }
        return value
    }

    /// How much a draw is mixed with the one before, 0 where there is none.
    func correlation() throws(FaultError) -> Double {
        let value = try ratio("correlation") ?? 0
        guard value < 1 else {
            throw FaultError(
                "'correlation' must be less than 100 %: nothing would ever change",
                parameter: "correlation")
        }
        return value
    }

    /// `ratio` with its `correlation`, both needed for an effect that can be seen.
    func correlatedRatio() throws(FaultError) -> CorrelatedRatio {
        let ratio = try needed(ratio("ratio"), "ratio", "1%")
        guard ratio > 0 else {
            throw FaultError("'ratio' 0 % does nothing", parameter: "ratio")
        }
        return CorrelatedRatio(ratio, correlation: try correlation())
    }

    private func value<T>(
        _ name: String, _ read: (String) -> Result<T, Quantity.Failure>, _ what: String
    ) throws(FaultError) -> T? {
        guard let text = text(name) else { return nil }
        guard case .success(let value) = read(text) else {
            throw FaultError("'\(name)' must be \(what), not '\(text)'", parameter: name)
        }
        return value
    }
}
