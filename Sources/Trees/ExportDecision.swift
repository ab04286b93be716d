/// What becomes of an object that is to be exported, given what has its file's name already.

public enum ExportDecision: Equatable, Sendable {
    /// What has the name.
    public enum Present: Equatable, Sendable {
        case nothing
        case file(Facts)
        /// A directory, a link or anything else that is no file.
        case other
    }

    case write
    /// Length and time are the object's: it was exported before.
    case alreadyThere
    /// As long as the object, but of another time: only its bytes tell.
    case compare
    /// Another file has the name, and may be replaced.
    case replace
    /// Another file has the name, or what is none: it is left alone.
    case conflict

    public init(object: Facts, present: Present, overwrites: Bool) {
        switch present {
        case .nothing: self = .write
        case .other: self = .conflict
        case .file(let file):
            if file == object {
                self = .alreadyThere
            } else if overwrites {
                self = .replace
            } else {
                self = file.byteCount == object.byteCount ? .compare : .conflict
            }
        }
    }
}
