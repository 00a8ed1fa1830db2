import DrillCore

/// What of a program's file says who loads it.
package struct ELFImage: Hashable, Sendable {
    /// It names a dynamic linker: only then is anything preloaded.
    package var isDynamic: Bool
    /// `EM_X86_64` and its like; a library of another machine is not loaded.
    package var machine: UInt16
    package var is64Bit: Bool

    /// Nil: no ELF file, or one that is cut off before its program headers end.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 52, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
        let is64Bit = bytes[4] == 2
        let isBig = bytes[5] == 2
        func number(_ offset: Int, _ count: Int) -> Int? {
            guard offset >= 0, offset + count <= bytes.count else { return nil }
            let part = bytes[offset..<(offset + count)]
            var value: UInt64 = 0
            for byte in isBig ? Array(part) : part.reversed() { value = value << 8 | UInt64(byte) }
            return Int(exactly: value)
        }
        guard let machine = number(18, 2),
            let table = number(is64Bit ? 32 : 28, is64Bit ? 8 : 4),
            let size = number(is64Bit ? 54 : 42, 2), let count = number(is64Bit ? 56 : 44, 2)
        else { return nil }
        var isDynamic = false
        for index in 0..<count {
            guard let type = number(table + index * size, 4) else { return nil }
            // PT_INTERP
            if type == 3 { isDynamic = true }
        }
        self.isDynamic = isDynamic
        self.machine = UInt16(machine)
        self.is64Bit = is64Bit
    }
}
