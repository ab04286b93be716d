// SHA-1 and SHA-256, piece by piece, on OpenSSL 3's libcrypto.

#include "CTLS.h"

#include <openssl/evp.h>
#include <stdatomic.h>

// The handle is OpenSSL's own object under a name that Swift may see.
static EVP_MD_CTX *unwrap(struct ctls_digest *digest) { return (EVP_MD_CTX *)digest; }

// Fetched once a process and kept: a fetch takes locks and memory, and when that runs out OpenSSL
// says that there is no such algorithm.
static EVP_MD *fetch(int algorithm)
{
    static EVP_MD *_Atomic kept[CTLS_SHA256 + 1];
    EVP_MD *known = atomic_load(&kept[algorithm]);
    if (known) return known;
    EVP_MD *fetched = EVP_MD_fetch(NULL, algorithm == CTLS_SHA1 ? "SHA1" : "SHA2-256", NULL);
    if (!fetched || atomic_compare_exchange_strong(&kept[algorithm], &known, fetched))
        return fetched;
    EVP_MD_free(fetched);  // Another thread was first.
    return known;
}

int ctls_digest_create(int algorithm, struct ctls_digest **created)
{
    EVP_MD *kind = fetch(algorithm);
    if (!kind) return CTLS_NOT_OFFERED;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex2(context, kind, NULL) == 1) {
        *created = (struct ctls_digest *)context;
        return CTLS_CREATED;
    }
    EVP_MD_CTX_free(context);
    return CTLS_NO_MEMORY;
}

void ctls_digest_destroy(struct ctls_digest *digest) { EVP_MD_CTX_free(unwrap(digest)); }

bool ctls_digest_update(struct ctls_digest *digest, const void *bytes, size_t count)
{
    return EVP_DigestUpdate(unwrap(digest), bytes, count) == 1;
}

bool ctls_digest_finish(struct ctls_digest *digest, uint8_t *target, size_t count)
{
    unsigned int written = 0;
    return (size_t)EVP_MD_CTX_get_size(unwrap(digest)) == count
        && EVP_DigestFinal_ex(unwrap(digest), target, &written) == 1 && written == count;
}
