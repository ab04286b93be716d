// CTLS: the part of OpenSSL's libcrypto that Swift uses, behind opaque handles.

#ifndef CTLS_H
#define CTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CTLS_SHA256_BYTES = 32 };

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

/// Takes as long for equal bytes as for different ones.
bool ctls_equal(const void *left, const void *right, size_t count);

/// Fills `bytes` from libcrypto's generator, which is seeded by the kernel's.
bool ctls_random(void *bytes, size_t count);

#endif
