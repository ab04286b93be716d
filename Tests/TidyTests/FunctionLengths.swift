// Finds functions, initialisers and computed properties and counts their lines.

struct FunctionLength: Equatable {
    let line: Int
    let lineCount: Int
    /// Its body is one `switch` and nothing else.
    let isSwitch: Bool
}

extension SourceText {
    /// Every declaration with a body, from the line of its keyword to that of its closing brace.
    var functions: [FunctionLength] {
        tokens.indices.compactMap { index in
            guard isDeclaration(index), let opening = bodyOpening(after: index),
                let closing = closingBrace(of: opening)
            else { return nil }
            return FunctionLength(
                line: tokens[index].line,
                lineCount: tokens[closing].line - tokens[index].line + 1,
                isSwitch: isSwitch(opening, closing))
        }
    }

    private func isDeclaration(_ index: Int) -> Bool {
        switch tokens[index].text {
        // After a dot it is a use: `.init(…)`.
        case "func", "init", "deinit", "subscript", "var": !hasToken(".", at: index - 1)
        default: false
        }
    }

    /// The "{" of the body; `nil` for requirements of protocols and stored properties.
    private func bodyOpening(after start: Int) -> Int? {
        let stops: Set<String> = [
            "}", "func", "var", "let", "init", "deinit", "subscript", "case", "struct", "enum",
            "class", "actor", "protocol", "extension", "typealias", "import", "=",
        ]
        var depth = 0
        for index in tokens.indices[(start + 1)...] {
            switch tokens[index].text {
            case "(", "[": depth += 1
            case ")", "]":
                depth -= 1
                if depth < 0 { return nil }
            case "{" where depth == 0: return index
            case let text where depth == 0 && stops.contains(text):
                // `func == (…)` and its like have the sign for a name.
                let isOperatorName = text == "=" && index - start <= 3
                if tokens[start].text != "func" || !isOperatorName { return nil }
            default: continue
            }
        }
        return nil
    }

    private func closingBrace(of opening: Int) -> Int? {
        var depth = 0
        for index in tokens.indices[opening...] {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private func isSwitch(_ opening: Int, _ closing: Int) -> Bool {
        guard hasToken("switch", at: opening + 1),
            let inner = tokens.indices[(opening + 1)...].first(where: { hasToken("{", at: $0) }),
            let end = closingBrace(of: inner)
        else { return false }
        return end + 1 == closing
    }
}
