import Glibc

/// `twin`.
package enum TwinProgram {
    package static func main() -> Never { exit(64) }
}
