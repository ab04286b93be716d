// Finds the key that a mistyped one was probably meant to be.

/// The path of the valid key nearest to `path`, by edits in its name and, capped, in its section: a
/// right name in a wrong section is nearer than a wrong name in the right one.
func nearestKey(to path: [String]) -> String {
    let section = path.count > 1 ? path[0] : ""
    let name = path.count > 1 ? path[1...].joined(separator: ".") : path.first ?? ""
    // Long enough for any honest mistake, short enough to stay quadratic in something small.
    let sectionBytes = Array(section.utf8.prefix(64))
    let nameBytes = Array(name.utf8.prefix(64))

    let keys =
        SettingKey.all.map { (section: $0.section, name: $0.name) }
        + CredentialTable.all.map { (section: CredentialTable.section, name: $0.name) }
    let costs = keys.map { key in
        min(editDistance(sectionBytes, Array(key.section.utf8)), 3)
            + editDistance(nameBytes, Array(key.name.utf8))
    }
    let best = costs.indices.min { costs[$0] < costs[$1] }
    guard let best else { preconditionFailure("the key table is empty") }
    return keys[best].section + "." + keys[best].name
}

/// The section whose name is the fewest edits away.
func nearestSection(to name: String) -> String {
    nearestName(to: name, among: SettingKey.sections)
}

/// The one of several names that is the fewest edits away.
func nearestName(to name: String, among names: [String]) -> String {
    let bytes = Array(name.utf8.prefix(64))
    let costs = names.map { editDistance(bytes, Array($0.utf8)) }
    let best = costs.indices.min { costs[$0] < costs[$1] }
    guard let best else { preconditionFailure("there are no names") }
    return names[best]
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that turn `source` into
/// `target` (optimal string alignment).
func editDistance(_ source: [UInt8], _ target: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...target.count)
    for row in source.indices {
        var current = [row + 1]
        for column in target.indices {
            let replaced = last[column] + (source[row] == target[column] ? 0 : 1)
            var best = min(replaced, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, source[row] == target[column - 1],
                source[row - 1] == target[column]
            {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[target.count]
}
