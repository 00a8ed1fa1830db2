import Glibc

/// Room for the frames that are held: numbers instead of arrays, so that nothing is allocated while packets pass.
struct FrameStore: ~Copyable {
    /// Fits every frame of an ordinary network; longer ones get room of their own length.
    static let ordinaryRoom = 2048

    private var frames: [UnsafeMutableRawPointer] = []
    private var lengths: [Int32] = []
    private var rooms: [Int32] = []
    private var free: [Int32] = []
    /// What does not fit into a frame's room while it is read.
    private let rest = UnsafeMutableRawPointer.allocate(byteCount: 1 << 16, alignment: 16)

    deinit {
        for frame in frames { frame.deallocate() }
        rest.deallocate()
    }

    /// A frame's number; its bytes are what was there before.
    mutating func take() -> Int32 {
        if let number = free.popLast() { return number }
        frames.append(.allocate(byteCount: Self.ordinaryRoom, alignment: 16))
        lengths.append(0)
        rooms.append(Int32(Self.ordinaryRoom))
        return Int32(frames.count - 1)
    }

    mutating func giveBack(_ number: Int32) { free.append(number) }

    func bytes(_ number: Int32) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: frames[Int(number)], count: Int(lengths[Int(number)]))
    }

    /// Fills a frame by `read(bytes, room, rest, room of rest)`, which returns the length or an error below 0.
    mutating func fill(
        _ number: Int32,
        _ read: (UnsafeMutableRawPointer, Int, UnsafeMutableRawPointer, Int) -> Int
    ) -> Int {
        let room = Int(rooms[Int(number)])
        let length = read(frames[Int(number)], room, rest, 1 << 16)
        if length > room {
            grow(number, to: length)
            memcpy(frames[Int(number)] + room, rest, length - room)
        }
        lengths[Int(number)] = Int32(max(0, length))
        return length
    }

    /// A second frame with the same bytes.
    mutating func copy(_ number: Int32) -> Int32 {
        let copy = take()
        let length = Int(lengths[Int(number)])
        if length > Int(rooms[Int(copy)]) { grow(copy, to: length) }
        memcpy(frames[Int(copy)], frames[Int(number)], length)
        lengths[Int(copy)] = Int32(length)
        return copy
    }

    private mutating func grow(_ number: Int32, to length: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 16)
        memcpy(larger, frames[Int(number)], Int(rooms[Int(number)]))
        frames[Int(number)].deallocate()
        frames[Int(number)] = larger
        rooms[Int(number)] = Int32(length)
    }
}
