/// Decimal numbers on the wire (1*DIGIT): nothing but digits, never wrapped around.
enum Decimal {
    /// More digits than UInt64.max has are refused even if they are zeros.
    private static let digitCountMax = 20

    /// nil if there is no digit, anything but a digit, or a number above UInt64.max.
    static func parse(_ digits: Span<UInt8>) -> UInt64? {
        guard digits.count < digitCountMax else {
            return digits.count > digitCountMax ? nil : parseSaturating(digits, saturated: nil)
        }
        guard digits.count > 0 else { return nil }
        var value: UInt64 = 0
        for index in digits.indices {
            let digit = digits[index] &- Ascii.zero
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    /// As `parse`, with any number of digits and `saturated` for what exceeds UInt64.max.
    static func parseSaturating(_ digits: Span<UInt8>, saturated: UInt64?) -> UInt64? {
        guard digits.count > 0 else { return nil }
        var value: UInt64 = 0
        var isTooLarge = false
        for index in digits.indices {
            let digit = digits[index] &- Ascii.zero
            guard digit < 10 else { return nil }
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(UInt64(digit))
            if productOverflows || sumOverflows { isTooLarge = true }
            value = sum
        }
        return isTooLarge ? saturated : value
    }
}
