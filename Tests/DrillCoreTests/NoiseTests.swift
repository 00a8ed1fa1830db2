import DrillCore
import Testing

@Test(arguments: [(500, 0.999, 6), (500, 1.0, 1), (100, 1.0, 1)])
func `noise threshold is the smallest count that chance does not reach`(
    n: Int, rate: Double, k: Int
) {
    #expect(Noise.threshold(operations: n, successRate: rate) == k)
}
