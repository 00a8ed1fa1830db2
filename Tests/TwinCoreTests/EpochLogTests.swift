import Testing
import TwinCore

/// `2 2 3`: three records, of these epochs.
private func log(_ epochs: String) -> EpochLog {
    var log = EpochLog()
    for epoch in epochs.split(separator: " ").compactMap({ Int64($0) }) {
        log.append(through: log.last + 1, epoch: epoch)
    }
    return log
}

@Suite struct EpochLogTests {
    @Test(
        arguments: [
            // own, index, epoch of the other log's last record; the last that can be common
            ("2 2 2", 3, 2, 3),
            ("2 2 2", 5, 2, 3),
            ("2 2 2", 2, 2, 2),
            ("2 2 5 5", 3, 2, 2),
            ("2 2 5 5", 4, 4, 2),
            ("2 2 5 5", 9, 7, 4),
            ("5 5", 2, 2, 0),
            ("", 3, 2, 0),
            ("2 2", 0, 0, 0),
        ] as [(String, Int64, Int64, Int64)])
    func `the last record that two logs can have in common`(
        own: String, index: Int64, epoch: Int64, common: Int64
    ) {
        #expect(log(own).last(through: index, notAfter: epoch) == common)
    }

    @Test(
        arguments: [
            ("2 2 5 5", 4, "2 2 5 5"), ("2 2 5 5", 3, "2 2 5"), ("2 2 5 5", 2, "2 2"),
            ("2 2 5 5", 0, ""), ("2", 7, "2"),
        ] as [(String, Int64, String)])
    func `a log that is cut off is the log that was there before`(
        before: String, end: Int64, after: String
    ) {
        var cut = log(before)
        cut.truncate(to: end)
        #expect(cut == log(after))
    }

    @Test func `each record has its epoch, and nothing has one beyond the ends`() {
        let mixed = log("2 2 5 8 8")
        #expect((0...6).map { mixed.epoch(at: $0) } == [0, 2, 2, 5, 8, 8, 0])
        #expect((1...5).map { mixed.end(ofEpochAt: $0) } == [2, 2, 3, 5, 5])
    }
}
