// The table of keys, the only place that names one. Limits stand here and nowhere else.

extension SettingKey {
    static let server: [SettingKey] = [
        SettingKey(
            "server.listen", .address, \.server.listen,
            "Where HTTP is served. Port 0 takes a free one and prints it."),
        SettingKey(
            "server.base_path", .basePath, \.server.basePath,
            "Path prefix under which objects live; it is not part of what is signed."),
        SettingKey(
            "server.cores", optional: .cores, \.server.cores,
            "CPUs to run on, one thread each. Unset: every CPU this process may use."),
        SettingKey(
            "server.drain_timeout", .duration(atLeast: .zero, atMost: .seconds(3600)),
            \.server.drainTimeout,
            "How long a stopping server lets running requests finish; whole seconds, rounded up."
                + " 0: what is left ends at once."),
        SettingKey(
            "server.memory_per_core", .size(atLeast: 4 << 20, atMost: 64 << 30),
            \.server.memoryPerCoreBytes,
            "Registered buffers of each core. Shrinks to fit RLIMIT_MEMLOCK, with a warning."),
        SettingKey(
            "server.numa", .flag, \.server.usesNUMA,
            "Keep each core's buffers on its own NUMA node."),
        SettingKey(
            "server.steering", .word, \.server.steering,
            "Which core accepts a connection: any, by a hash of its address, or the one on the CPU"
                + " that its packets interrupt."),
    ]

    static let metrics: [SettingKey] = [
        SettingKey(
            "metrics.listen", .addressOrOff, \.metrics.listen,
            "Where Prometheus metrics are served.")
    ]

    static let storage: [SettingKey] = [
        SettingKey(
            "storage.path", .path, \.storage.path,
            "The data directory; made when missing. It needs a file system with O_DIRECT."),
        SettingKey(
            "storage.capacity", .capacity, \.storage.capacity,
            "How much the volumes may take: a size, or a share of the space free at start."),
        SettingKey(
            "storage.volume_size", .size(atLeast: 256 << 20, atMost: 8 << 40),
            \.storage.volumeSizeBytes,
            "Size to which each volume file grows, in whole segments of 64 MiB."),
        SettingKey(
            "storage.durability", .word, \.storage.durability,
            "When an upload is answered: once it would survive a power cut, or once written."),
    ]

    static let security: [SettingKey] = [
        SettingKey(
            "security.secret", optional: .uploadSecret, \.security.secret,
            "The key that signs upload URLs. Unset: generated, kept in the data directory; unless"
                + " there are [[security.secrets]].",
            isSecret: true),
        SettingKey(
            "security.secret_file", optional: .path, \.security.secretFile,
            "A file that holds the secret instead; a newline at its end is not part of it."),
        SettingKey(
            "security.admin_token", optional: .bearerToken, \.security.adminToken,
            "The bearer token for /admin and DELETE. Unset: generated, as the secret is.",
            isSecret: true),
        SettingKey(
            "security.admin_token_file", optional: .path, \.security.adminTokenFile,
            "A file that holds the admin token instead."),
        SettingKey(
            "security.upload_token", optional: .bearerToken, \.security.uploadToken,
            "A bearer token that may upload at /files. Unset: only the admin token may.",
            isSecret: true),
        SettingKey(
            "security.upload_token_file", optional: .path, \.security.uploadTokenFile,
            "A file that holds the upload token instead."),
        SettingKey(
            "security.jwt_secret", optional: .jwtSecret, \.security.jwtSecret,
            "The key of JSON Web Tokens (HS256) that may upload as a token may: with exp, sub,"
                + " whose uploads they are, and upload or admin in scope. Unset: none count.",
            isSecret: true),
        SettingKey(
            "security.jwt_secret_file", optional: .path, \.security.jwtSecretFile,
            "A file that holds it instead; a newline at its end is not part of it."),
        SettingKey(
            "security.jwt_audience", optional: .audience, \.security.jwtAudience,
            "Whom such a token has to be for (aud). Unset: one that says whom it is for is refused."
        ),
        SettingKey(
            "security.bad_signature_status", .either(401, 403), \.security.badSignatureStatus,
            "The status that answers a wrong or missing signature."),
    ]

    static let uploads: [SettingKey] = [
        SettingKey(
            "uploads.max_size", .size(atLeast: 1, atMost: 15 << 30), \.uploads.sizeBytesMax,
            "The largest object accepted; more is answered with 413."),
        SettingKey(
            "uploads.unfinished_lifetime",
            .duration(atLeast: .seconds(60), atMost: .seconds(30 * 24 * 3600)),
            \.uploads.unfinishedLifetime,
            "How long an unfinished upload is kept for its client to go on with; then its space is"
                + " free again. Whole seconds, rounded up."),
        SettingKey(
            "uploads.max_unfinished", .count(1...10_000_000), \.uploads.unfinishedMax,
            "Uploads that may lie unfinished, all together; more are answered with 429."),
        SettingKey(
            "uploads.max_unfinished_per_owner", .count(1...10_000_000),
            \.uploads.unfinishedPerOwnerMax,
            "Uploads that may lie unfinished for one credential: a token, or the secret with all"
                + " URLs that it signed."),
        SettingKey(
            "uploads.sha256", .flag, \.uploads.keepsSHA256,
            "Make and store the SHA-256 of every upload over 64 KiB, to be told of downloads; else"
                + " that of uploads whose clients speak of it. Smaller objects are hashed when it"
                + " is asked for."),
        SettingKey(
            "uploads.max_unfinished_size", .capacityOrNone, \.uploads.unfinishedSize,
            "Space that unfinished uploads may have, all together: what has come of them, and what"
                + " is reserved for requests under way; a size, or a share of the capacity. More is"
                + " answered with 429; an upload that never could have enough, with 413. A plain"
                + " PUT counts once it broke off and is kept."),
        SettingKey(
            "uploads.max_unfinished_size_per_owner", .capacityOrNone,
            \.uploads.unfinishedSizePerOwner,
            "The same for the uploads of one credential."),
        SettingKey(
            "uploads.max_append_size", optional: .size(atLeast: 64 << 10, atMost: 15 << 30),
            \.uploads.appendBytesMax,
            "The longest content of one request of a resumable upload (IETF), as a proxy in front"
                + " may have it: announced as max-append-size, which such clients obey by sending"
                + " several; more is answered with 413. Unset: as long as the upload."),
    ]

    static let downloads: [SettingKey] = [
        SettingKey(
            "downloads.verify", .word, \.downloads.verification,
            "How often each block of a large object is compared with its checksum: once after a"
                + " start, or always, without use of the page cache."),
        SettingKey(
            "downloads.precompressed", .flag, \.downloads.sendsPrecompressed,
            "Send NAME.br, NAME.zst or NAME.gz for NAME to clients that accept that coding, if NAME"
                + " is text and not newer. GETs of text are then answered by the store, not from"
                + " the hot cache."),
    ]

    static let performance: [SettingKey] = [
        SettingKey(
            "performance.adaptive_buffers", .flag, \.performance.adaptsBuffers,
            "Buffers of large transfers are sized by link and by what a byte turns out to cost."
                + " Off: all have max_buffer_size, less where memory is short. Downloads of objects"
                + " up to 1 MiB, which are verified whole before their head, have a buffer of the"
                + " object's length all the same."),
        SettingKey(
            "performance.min_buffer_size", .bufferSize, \.performance.bufferBytesMin,
            "The smallest such buffer; downloads use 64KiB at least."),
        SettingKey(
            "performance.max_buffer_size", .bufferSize, \.performance.bufferBytesMax,
            "The largest such buffer."),
        SettingKey(
            "performance.buffer_optimization_interval",
            .duration(atLeast: .seconds(1), atMost: .seconds(24 * 3600)),
            \.performance.bufferInterval,
            "How long a size found cheapest stays before its neighbours are tried again."),
        SettingKey(
            "performance.zero_copy", .flag, \.performance.sendsZeroCopy,
            "Sends of 16KiB and more out of such buffers leave without a copy, to clients behind a"
                + " network card that can."),
        SettingKey(
            "performance.min_chunk_size", .chunkSize, \.performance.chunkBytesMin,
            "The shortest chunk that a client is told to send."),
        SettingKey(
            "performance.max_chunk_size", .chunkSize, \.performance.chunkBytesMax,
            "The longest such chunk."),
        SettingKey(
            "performance.intelligent_chunking", .flag, \.performance.plansChunks,
            "Chunks of uploads are as long as suits the client's link, and clients of tus and of"
                + " resumable uploads are told, too (Millrace-Chunk). Off: numbered chunks are a"
                + " twentieth of the file, 2MiB at most, and nobody else is told."),
        SettingKey(
            "performance.chunk_adaptation_algorithm", .word, \.performance.chunkAlgorithm,
            "How their length is found: by tiers of speed, distance and reliability; by what"
                + " failures cost against what chunks cost; or by that for the link as it is going"
                + " to be."),
        SettingKey(
            "performance.client_profiling", .flag, \.performance.profilesClients,
            "What a client's link was like is remembered for its next visit, by the subject of its"
                + " JSON Web Token or else by its network (/24, /56). Off: nothing is, and what was"
                + " is forgotten."),
        SettingKey(
            "performance.profile_persistence_duration",
            .duration(atLeast: .seconds(60), atMost: .seconds(365 * 24 * 3600)),
            \.performance.profileLifetime,
            "For how long after its last transfer. Whole seconds, rounded up."),
        SettingKey(
            "performance.connection_type_detection", .flag, \.performance.detectsLinkClass,
            "Tell LAN, fibre, broadband, mobile and satellite links from each other, by what is"
                + " measured of large transfers and by client hints. Off: all are unknown, and"
                + " nothing follows from it."),
    ]

    /// Timers are looked at once a second.
    private static let roundedUp = " Whole seconds, rounded up."

    static let limits: [SettingKey] = [
        SettingKey(
            "limits.head_size", .size(atLeast: 1 << 10, atMost: 64 << 10), \.limits.headBytesMax,
            "Request line and header fields together; more is answered with 431."),
        SettingKey(
            "limits.fields", .count(8...1000), \.limits.fieldCountMax,
            "Header fields of a request; more is answered with 431."),
        SettingKey(
            "limits.target_size", .size(atLeast: 256, atMost: 32 << 10), \.limits.targetBytesMax,
            "Length of the request target; more is answered with 414."),
        SettingKey(
            "limits.head_timeout", .timeout, \.limits.headTimeout,
            "From a request's first byte to the end of its head; then 408." + roundedUp),
        SettingKey(
            "limits.idle_timeout", .timeout, \.limits.idleTimeout,
            "How long a connection may wait between requests." + roundedUp),
        SettingKey(
            "limits.body_min_rate", .size(atLeast: 0, atMost: 1 << 30),
            \.limits.bodyBytesPerSecondMin,
            "Bytes per second below which an upload's body is too slow; then 408. 0: any rate."),
        SettingKey(
            "limits.body_timeout", .timeout, \.limits.bodyTimeout,
            "How long a body may deliver no byte at all; then 408." + roundedUp),
        SettingKey(
            "limits.connections_per_core", .count(16...1_000_000), \.limits.connectionsPerCoreMax,
            "Open connections of each core; further ones are closed at once."),
        SettingKey(
            "limits.reserved_size", .capacity, \.limits.reserved,
            "What large uploads may have announced and not yet sent, all together: a size, or a"
                + " share of the capacity; more is answered with 503."),
        SettingKey(
            "limits.queue_delay_target", .duration(atLeast: .zero, atMost: .seconds(10)),
            \.limits.queueDelayTarget,
            "How long requests may wait for the processor, or for a buffer. Longer for all of"
                + " queue_delay_interval, or twenty times as long as a whole: new ones are answered"
                + " with 503 until they are fewer."
                + " 0: never."),
        SettingKey(
            "limits.queue_delay_interval",
            .duration(atLeast: .milliseconds(10), atMost: .seconds(60)),
            \.limits.queueDelayInterval,
            "What comes in shorter bursts is no overload."),
        SettingKey(
            "limits.inflight_size", .size(atLeast: 0, atMost: 1 << 40),
            \.limits.inFlightBytesMax,
            "What uploads under way may bring, all together on each core; another one is answered"
                + " with 503. 0: any."),
    ]

    static let logging: [SettingKey] = [
        SettingKey(
            "logging.level", .word, \.logging.level,
            "The least severe level that is logged.")
    ]
}

extension ValueForm where Value == Int {
    fileprivate static var bufferSize: ValueForm {
        let sizes = ValueForm.size(atLeast: 32 << 10, atMost: 1 << 20)
        return ValueForm(
            expectation: "32KiB, 64KiB, 128KiB, 256KiB, 512KiB or 1MiB",
            read: { raw in sizes.read(raw).flatMap { $0.nonzeroBitCount == 1 ? $0 : nil } },
            write: sizes.write)
    }

    /// Chunks that are whole blocks leave none of them in two parts.
    fileprivate static var chunkSize: ValueForm {
        let sizes = ValueForm.size(atLeast: 4 << 10, atMost: 1 << 30)
        return ValueForm(
            expectation: sizes.expectation + ", in whole blocks of 4KiB",
            read: { raw in sizes.read(raw).flatMap { $0 % 4096 == 0 ? $0 : nil } },
            write: sizes.write)
    }
}

extension ValueForm where Value == Duration {
    /// A day is longer than any client or proxy waits; 100 ms shorter than any timer here is exact.
    fileprivate static var timeout: ValueForm {
        .duration(atLeast: .milliseconds(100), atMost: .seconds(24 * 3600))
    }
}

extension ValueForm where Value == Secret {
    static var uploadSecret: ValueForm {
        .secret("a text that is not empty") { !$0.isEmpty && !$0.contains(0) }
    }

    /// It travels in a header, so only what RFC 6750 §2.1 allows in a bearer token.
    static var bearerToken: ValueForm {
        .secret("letters, digits and -._~+/= (RFC 6750)", isBearerToken)
    }
}

extension ValueForm where Value == Secret {
    fileprivate static var jwtSecret: ValueForm {
        .secret("a text of at least 32 bytes (RFC 7518 §3.2)", isTokenKey)
    }
}

/// As long as the HMAC that it keys.
func isTokenKey(_ bytes: [UInt8]) -> Bool { bytes.count >= 32 && !bytes.contains(0) }

/// Whether `bytes` is a `b64token` of RFC 6750 §2.1 (the "=" at its end not insisted on).
func isBearerToken(_ bytes: [UInt8]) -> Bool {
    !bytes.isEmpty
        && bytes.allSatisfy { isASCIIAlphanumeric($0) || Array("-._~+/=".utf8).contains($0) }
}

func isASCIIAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
    default: false
    }
}

extension ValueForm where Value == String {
    fileprivate static var audience: ValueForm {
        text("a text that is not empty") { $0.isEmpty ? nil : $0 }
    }

    fileprivate static var basePath: ValueForm {
        text("a path such as \"/\" or \"/upload/\" of letters, digits and -._~") { text in
            guard text.first == "/" else { return nil }
            let segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
            let named = segments.last == "" ? segments.dropLast() : segments
            for segment in named {
                let isPlain = segment.utf8.allSatisfy {
                    isASCIIAlphanumeric($0) || Array("-._~".utf8).contains($0)
                }
                guard isPlain, !["", ".", ".."].contains(segment) else { return nil }
            }
            return text.last == "/" ? text : text + "/"
        }
    }
}
