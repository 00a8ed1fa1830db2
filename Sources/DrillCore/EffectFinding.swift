/// What packets showed of an effect.
package struct EffectFinding: Hashable, Sendable, Codable {
    package var inEffect: Bool
    /// False: what was seen fits a link with the effect and one without it; `inEffect` is false then.
    package var isDecided: Bool
    /// The figures: `41 of 412 lost (10 %, 99.9 % interval 5.7 % to 15.7 %), asked 10 %`.
    package var sentence: String

    package init(inEffect: Bool, isDecided: Bool = true, sentence: String) {
        self.inEffect = inEffect
        self.isDecided = isDecided || inEffect
        self.sentence = sentence
    }
}
