// Opening, measuring, growing and warming an LMDB environment.

#define _GNU_SOURCE
#include "CLMDB.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(CLMDB_EXISTS == MDB_KEYEXIST, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_NOT_FOUND == MDB_NOTFOUND, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_DAMAGED_PAGE == MDB_CORRUPTED, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_PANIC == MDB_PANIC, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_OTHER_VERSION == MDB_VERSION_MISMATCH, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_NOT_A_DATABASE == MDB_INVALID, "CLMDB.h names LMDB's codes");
_Static_assert(CLMDB_MAP_FULL == MDB_MAP_FULL, "CLMDB.h names LMDB's codes");

static MDB_env *unwrap(struct clmdb_environment *environment) { return (MDB_env *)environment; }

int clmdb_probe(const char *path, bool *holds)
{
    struct stat directory, data;
    char name[PATH_MAX];
    *holds = false;
    if (stat(path, &directory) != 0) return errno;
    if (!S_ISDIR(directory.st_mode)) return ENOTDIR;
    if (snprintf(name, sizeof name, "%s/data.mdb", path) >= (int)sizeof name) return ENAMETOOLONG;
    if (stat(name, &data) == 0) *holds = data.st_size > 0;
    else if (errno != ENOENT) return errno;
    return 0;
}

int clmdb_open(const char *path, uint64_t map_bytes, unsigned tables_max, unsigned readers_max,
               struct clmdb_environment **environment)
{
    MDB_env *made = NULL;
    int status = mdb_env_create(&made);
    if (status != 0) return status;
    status = mdb_env_set_mapsize(made, map_bytes);
    if (status == 0) status = mdb_env_set_maxdbs(made, tables_max);
    if (status == 0) status = mdb_env_set_maxreaders(made, readers_max);
    // NOTLS: a reading transaction belongs to its handle, not to a thread. NORDAHEAD: look-ups
    // are random, what is read beside them would only push other pages out.
    if (status == 0) status = mdb_env_open(made, path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
    // Slots of processes that were killed would keep their snapshots' pages from being reused.
    int dead = 0;
    if (status == 0) status = mdb_reader_check(made, &dead);
    if (status != 0) {
        mdb_env_close(made);
        return status;
    }
    *environment = (struct clmdb_environment *)made;
    return 0;
}

void clmdb_close(struct clmdb_environment *environment) { mdb_env_close(unwrap(environment)); }

int clmdb_sync_directory(const char *path)
{
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return errno;
    const int code = fsync(directory) == 0 ? 0 : errno;
    close(directory);
    return code;
}

int clmdb_size(struct clmdb_environment *environment, struct clmdb_size *size)
{
    MDB_envinfo information;
    MDB_stat statistics;
    struct stat file;
    int descriptor = -1;
    int status = mdb_env_info(unwrap(environment), &information);
    if (status == 0) status = mdb_env_stat(unwrap(environment), &statistics);
    if (status == 0) status = mdb_env_get_fd(unwrap(environment), &descriptor);
    if (status != 0) return status;
    if (fstat(descriptor, &file) != 0) return errno;
    size->page_bytes = statistics.ms_psize;
    size->map_bytes = information.me_mapsize;
    size->used_file_bytes = (information.me_last_pgno + 1) * (uint64_t)statistics.ms_psize;
    size->file_bytes = (uint64_t)file.st_size;
    return 0;
}

// How many pages from `first` on are free, by the list that LMDB keeps as table 0: each value is a
// number of pages and as many pages. A page that is missing reads as zeros, which no list is.
static int count_free(MDB_txn *transaction, uint64_t first, uint64_t *count)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int status = mdb_cursor_open(transaction, 0, &cursor);
    if (status != 0) return status;
    *count = 0;
    while ((status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        const size_t *pages = value.mv_data;
        if (value.mv_size < sizeof *pages || pages[0] >= value.mv_size / sizeof *pages) continue;
        for (size_t index = 1; index <= pages[0]; index++) *count += pages[index] >= first;
    }
    mdb_cursor_close(cursor);
    return status == MDB_NOTFOUND ? 0 : status;
}

int clmdb_lengthen(struct clmdb_environment *environment, const struct clmdb_size *size,
                   bool *is_whole)
{
    const uint64_t first = size->file_bytes / size->page_bytes;
    const uint64_t missing = size->used_file_bytes / size->page_bytes - first;
    uint64_t count = 0;
    int descriptor = -1;
    MDB_txn *transaction;
    *is_whole = false;
    int status = mdb_env_get_fd(unwrap(environment), &descriptor);
    if (status != 0) return status;
    if (ftruncate(descriptor, (off_t)size->used_file_bytes) != 0) return errno;
    status = mdb_txn_begin(unwrap(environment), NULL, MDB_RDONLY, &transaction);
    if (status == 0) {
        *is_whole = count_free(transaction, first, &count) == 0 && count == missing;
        mdb_txn_abort(transaction);
    }
    if (*is_whole) return 0;
    return ftruncate(descriptor, (off_t)size->file_bytes) == 0 ? status : errno;
}

int clmdb_try_map(struct clmdb_environment *environment, uint64_t map_bytes)
{
    int descriptor = -1;
    const int status = mdb_env_get_fd(unwrap(environment), &descriptor);
    if (status != 0) return status;
    void *map = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (map == MAP_FAILED) return errno;
    munmap(map, map_bytes);
    return 0;
}

int clmdb_resize(struct clmdb_environment *environment, uint64_t map_bytes)
{
    return mdb_env_set_mapsize(unwrap(environment), map_bytes);
}

int clmdb_reserve(struct clmdb_environment *environment, uint64_t from, uint64_t to)
{
    int descriptor = -1;
    const int status = mdb_env_get_fd(unwrap(environment), &descriptor);
    if (status != 0) return status;
    const off_t count = (off_t)(to - from);
    int code;
    do {
        code = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)from, count) == 0 ? 0 : errno;
    } while (code == EINTR);
    return code;
}

int clmdb_warm(struct clmdb_environment *environment, uint64_t bytes)
{
    enum { STEP_BYTES = 1 << 20 };
    int descriptor = -1;
    const int status = mdb_env_get_fd(unwrap(environment), &descriptor);
    if (status != 0) return status;
    char *sink = malloc(STEP_BYTES);
    if (!sink) return ENOMEM;
    int code = 0;
    for (uint64_t at = 0; at < bytes; at += STEP_BYTES) {
        const ssize_t count = pread(descriptor, sink, STEP_BYTES, (off_t)at);
        if (count < 0) code = errno;
        if (count <= 0) break;
    }
    free(sink);
    return code;
}

bool clmdb_means_no_directory(int code) { return code == ENOENT || code == ENOTDIR; }

bool clmdb_means_disk_full(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

const char *clmdb_text(int code) { return mdb_strerror(code); }
