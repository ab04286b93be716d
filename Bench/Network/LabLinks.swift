/// The links of the lab.

/// A row of the lab: a link and a file that takes some seconds over it.
public struct LabLink: Equatable, Sendable, Encodable {
    public let name: String
    public let character: LinkCharacter
    public let fileBytes: Int
    /// What the server advises at most; nil: its default. Where a file is shorter than it would be
    /// in life, its chunks are, too.
    public var chunkBytesMax: Int?

    /// Of the part `chunks`. What a row in the real world would be with longer files: failures are
    /// as much more frequent as the files are shorter.
    public static let chunks = [
        LabLink(
            name: "dsl",
            character: LinkCharacter(megabitsPerSecond: 8, roundTripMilliseconds: 40),
            fileBytes: 6 << 20),
        LabLink(
            name: "cable",
            character: LinkCharacter(
                megabitsPerSecond: 50, roundTripMilliseconds: 20, secondsBetweenCuts: 10),
            fileBytes: 32 << 20),
        LabLink(
            name: "mobile",
            character: LinkCharacter(
                megabitsPerSecond: 20, roundTripMilliseconds: 200, jitterMilliseconds: 20,
                secondsBetweenCuts: 10),
            fileBytes: 12 << 20),
        LabLink(
            name: "satellite",
            character: LinkCharacter(megabitsPerSecond: 4, roundTripMilliseconds: 600),
            fileBytes: 3 << 20),
        LabLink(
            name: "tunnels",
            character: LinkCharacter(
                megabitsPerSecond: 20, roundTripMilliseconds: 60, secondsBetweenCuts: 20,
                secondsBetweenOutages: 5, outageSeconds: 0.7),
            fileBytes: 12 << 20),
    ]

    /// Of the part `tuning`: one for each class that is told apart, and where segments are lost
    /// for other reasons than a full queue, the same with such losses. Narrow beyond the server,
    /// as clients' links are: what it sends too fast waits there, in others' way, and is lost.
    public static let tuning = [
        LabLink(
            name: "fibre",
            character: LinkCharacter(megabitsPerSecond: 200, roundTripMilliseconds: 10)
                .narrowBeyond,
            fileBytes: 48 << 20),
        broadband, broadband.losing(0.001, fileBytes: 12 << 20),
        mobile, mobile.losing(0.01, fileBytes: 2 << 20),
        satellite, satellite.losing(0.005, fileBytes: 1 << 20),
    ]

    private static let broadband = LabLink(
        name: "broadband",
        character: LinkCharacter(megabitsPerSecond: 40, roundTripMilliseconds: 30).narrowBeyond,
        fileBytes: 12 << 20)
    private static let mobile = LabLink(
        name: "mobile",
        character: LinkCharacter(
            megabitsPerSecond: 20, roundTripMilliseconds: 150, jitterMilliseconds: 15
        ).narrowBeyond,
        fileBytes: 8 << 20)
    private static let satellite = LabLink(
        name: "satellite",
        character: LinkCharacter(megabitsPerSecond: 20, roundTripMilliseconds: 600).narrowBeyond,
        fileBytes: 8 << 20)

    /// Of the part `parallel`.
    public static let parallel = [
        LabLink(
            name: "lan",
            character: LinkCharacter(megabitsPerSecond: 200, roundTripMilliseconds: 1),
            fileBytes: 64 << 20),
        far,
        LabLink(
            name: "far-short-chunks", character: far.character, fileBytes: 24 << 20,
            chunkBytesMax: 1 << 20),
        far.losing(0.01, fileBytes: 4 << 20, chunkBytesMax: 512 << 10),
    ]

    private static let far = LabLink(
        name: "far",
        character: LinkCharacter(megabitsPerSecond: 100, roundTripMilliseconds: 200),
        fileBytes: 64 << 20)

    /// The same link losing that share of its packets, so that a shorter file takes some seconds.
    private func losing(
        _ share: Double, fileBytes: Int, chunkBytesMax: Int? = nil
    ) -> LabLink {
        var character = character
        character.lossShare = share
        return LabLink(
            name: name + "-lossy", character: character, fileBytes: fileBytes,
            chunkBytesMax: chunkBytesMax)
    }
}
