// CTLS: the part of OpenSSL's libcrypto that Swift uses, behind opaque handles.

#ifndef CTLS_H
#define CTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CTLS_SHA1_BYTES = 20, CTLS_SHA256_BYTES = 32 };

/// HMAC-SHA256 under one key, reusable for any number of messages, by one thread at a time.
struct ctls_hmac;

/// NULL when OpenSSL offers no HMAC-SHA256, or memory ran out. `key_count` is at least 1.
struct ctls_hmac *ctls_hmac_create(const void *key, size_t key_count);
/// Wipes the key as well.
void ctls_hmac_destroy(struct ctls_hmac *hmac);

/// One message is: begin, any number of updates, finish. False: libcrypto ran out of memory.
bool ctls_hmac_begin(struct ctls_hmac *hmac);
bool ctls_hmac_update(struct ctls_hmac *hmac, const void *bytes, size_t count);
bool ctls_hmac_finish(struct ctls_hmac *hmac, uint8_t tag[CTLS_SHA256_BYTES]);

/// A digest of bytes that come piece by piece, by one thread at a time.
struct ctls_digest;

enum { CTLS_SHA1 = 1, CTLS_SHA256 = 2 };
enum { CTLS_CREATED = 0, CTLS_NO_MEMORY = 1, CTLS_NOT_OFFERED = 2 };

/// CTLS_CREATED and a digest of no bytes yet, or why there is none. (The first of its algorithm is
/// CTLS_NOT_OFFERED also if memory runs out.)
int ctls_digest_create(int algorithm, struct ctls_digest **created);
void ctls_digest_destroy(struct ctls_digest *digest);
/// False: the digest is finished.
bool ctls_digest_update(struct ctls_digest *digest, const void *bytes, size_t count);
/// Once. False also if the digest does not have exactly `count` bytes.
bool ctls_digest_finish(struct ctls_digest *digest, uint8_t *target, size_t count);

/// Takes as long for equal bytes as for different ones.
bool ctls_equal(const void *left, const void *right, size_t count);

/// Fills `bytes` from libcrypto's generator, which is seeded by the kernel's.
bool ctls_random(void *bytes, size_t count);

#endif
