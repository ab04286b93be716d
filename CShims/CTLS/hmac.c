// HMAC-SHA256, comparison and randomness on OpenSSL 3's libcrypto.

#include "CTLS.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

// The handle is OpenSSL's own object under a name that Swift may see.
static EVP_MAC_CTX *unwrap(struct ctls_hmac *hmac) { return (EVP_MAC_CTX *)hmac; }

struct ctls_hmac *ctls_hmac_create(const void *key, size_t key_count)
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = algorithm ? EVP_MAC_CTX_new(algorithm) : NULL;
    EVP_MAC_free(algorithm);  // The context keeps its own reference.

    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (context && EVP_MAC_init(context, key, key_count, parameters) == 1)
        return (struct ctls_hmac *)context;
    EVP_MAC_CTX_free(context);
    return NULL;
}

void ctls_hmac_destroy(struct ctls_hmac *hmac) { EVP_MAC_CTX_free(unwrap(hmac)); }

bool ctls_hmac_begin(struct ctls_hmac *hmac)
{
    // No key: the padded key's two digests, computed once by create, are copied.
    return EVP_MAC_init(unwrap(hmac), NULL, 0, NULL) == 1;
}

bool ctls_hmac_update(struct ctls_hmac *hmac, const void *bytes, size_t count)
{
    return EVP_MAC_update(unwrap(hmac), bytes, count) == 1;
}

bool ctls_hmac_finish(struct ctls_hmac *hmac, uint8_t tag[CTLS_SHA256_BYTES])
{
    size_t count = 0;
    return EVP_MAC_final(unwrap(hmac), tag, &count, CTLS_SHA256_BYTES) == 1
        && count == CTLS_SHA256_BYTES;
}

bool ctls_equal(const void *left, const void *right, size_t count)
{
    return CRYPTO_memcmp(left, right, count) == 0;
}

bool ctls_random(void *bytes, size_t count)
{
    return count <= INT_MAX && RAND_bytes(bytes, (int)count) == 1;
}
