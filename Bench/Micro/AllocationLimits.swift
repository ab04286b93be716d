/// How often each bench may allocate in one iteration: a ratchet that only tightens.

enum AllocationLimits {
    #if DEBUG
        static let configuration = "debug"
    #else
        static let configuration = "release"
    #endif

    /// Nil if none was set.
    static func limit(of name: String) -> Double? {
        #if DEBUG
            limits[name]?.debug
        #else
            limits[name]?.release
        #endif
    }

    /// Builds for debugging allocate more: what is not inlined there makes boxes and closures.
    private static let limits: [String: (release: Double, debug: Double)] = [
        "head-parse-short": (0, 0), "head-parse-s3": (0, 0), "head-parse-put": (0, 0),
        "range-parse": (0, 0), "conditions": (0, 0), "chunked-decode": (0, 0),
        "media-type": (0, 0), "response-head": (0, 0), "name-hash": (0, 0),
        // OpenSSL's, to begin a message: two.
        "signature-verify": (2, 2),
        "crc32c-4k": (0, 0), "crc32c-64k": (0, 0), "crc32c-1m": (0, 0),
        "sha1-64k": (0, 0), "sha256-64k": (0, 0),
        "record-encode": (2, 2),
        // And the name and the type, as arrays.
        "record-decode": (4, 4),
        // The list of extents.
        "extents-reserve": (1, 6),
        "segment-allocate": (0, 160), "flush-epochs": (0, 0),
        "buffer-lease": (0, 0), "cache-find": (0, 0), "cache-insert": (0, 0),
        "link-sample": (0, 0), "profile-enter": (0, 0),
        // Of what is believed of failures, 32 numbers are one value.
        "plan-fixed": (0, 0), "plan-adaptive": (0, 1), "plan-predictive": (0, 39),
        "await-read": (0, 0), "ring-nop-1": (0, 0), "ring-nop-32": (0, 0), "ring-message": (0, 0),
        "catalog-hit": (0, 0), "catalog-miss": (0, 0),
        // LMDB's pages, of which other versions may need a few more; and in builds for debugging
        // one for each of the 4,096 changes.
        "catalog-commit": (130, 4_300),
        // None a request, and one a turn of the loop with 64 of them: the closure that
        // `Core.completionsArrived` gives to `assumeIsolated`.
        // In builds for debugging every look at a connection's row makes one: what admission and
        // bodies that nobody wants are asked for are four.
        "get-cached-1k": (0.016, 77.1),
        "put-durable-4k": (12.05, 187.1),
    ]
}
