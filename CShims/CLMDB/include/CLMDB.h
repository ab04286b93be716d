// CLMDB: the part of LMDB that Swift uses, behind opaque handles.
//
// Every function that can fail answers 0, one of the codes below, or an errno.

#ifndef CLMDB_H
#define CLMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLMDB_EXISTS = -30799,
    CLMDB_NOT_FOUND = -30798,
    CLMDB_DAMAGED_PAGE = -30796,
    CLMDB_PANIC = -30795,
    CLMDB_OTHER_VERSION = -30794,
    CLMDB_NOT_A_DATABASE = -30793,
    CLMDB_MAP_FULL = -30792,
};

struct clmdb_environment;
struct clmdb_transaction;
struct clmdb_cursor;

/// Bytes of a key or a value. They stay valid until the transaction changes, is reset or ends.
struct clmdb_bytes {
    const void *start;
    size_t count;
};

struct clmdb_size {
    uint64_t page_bytes;
    uint64_t map_bytes;
    /// Up to the last page that was ever taken. The file may end before it: see clmdb_lengthen.
    uint64_t used_file_bytes;
    uint64_t file_bytes;
};

/// Whether the directory at `path` holds a data file with anything in it: 0, or ENOENT, ENOTDIR …
/// `holds` is false for a directory without one.
int clmdb_probe(const char *path, bool *holds);

int clmdb_open(const char *path, uint64_t map_bytes, unsigned tables_max, unsigned readers_max,
               struct clmdb_environment **environment);
void clmdb_close(struct clmdb_environment *environment);
/// Makes the names of new files durable.
int clmdb_sync_directory(const char *path);

int clmdb_size(struct clmdb_environment *environment, struct clmdb_size *size);
/// For a file that is shorter than `used_file_bytes`: whether the pages that are missing are all
/// free. A commit that gives back the last pages that it took has no need to write them. Then the
/// file is made that long; else it was cut short and is left as it is. Only before anything is read
/// from the environment, for a missing page that is in use would be a SIGBUS.
int clmdb_lengthen(struct clmdb_environment *environment, const struct clmdb_size *size,
                   bool *is_whole);
/// Whether `map_bytes` of address space are to be had beside the present map: 0, or ENOMEM.
int clmdb_try_map(struct clmdb_environment *environment, uint64_t map_bytes);
/// Only while no transaction is active in this process. After a failure nothing may be mapped any
/// more, and the environment can only be closed: hence clmdb_try_map.
int clmdb_resize(struct clmdb_environment *environment, uint64_t map_bytes);
/// Reserves disk blocks for bytes `from` up to `to` of the file, without making it longer. `from`
/// is where the reservation before ended: when tmpfs fails, it frees all it was asked for.
int clmdb_reserve(struct clmdb_environment *environment, uint64_t from, uint64_t to);
/// Reads up to `bytes` of the file, so that they are in the page cache.
int clmdb_warm(struct clmdb_environment *environment, uint64_t bytes);

int clmdb_begin(struct clmdb_environment *environment, bool writes,
                struct clmdb_transaction **transaction);
/// For reading transactions: gives up the snapshot, keeps the slot; and takes a new snapshot.
void clmdb_reset(struct clmdb_transaction *transaction);
int clmdb_renew(struct clmdb_transaction *transaction);
/// Synced. Ends the transaction also when it fails.
int clmdb_commit(struct clmdb_transaction *transaction);
void clmdb_abort(struct clmdb_transaction *transaction);

int clmdb_table(struct clmdb_transaction *transaction, const char *name, bool create,
                unsigned *table);
int clmdb_table_bytes(struct clmdb_transaction *transaction, unsigned table, uint64_t *bytes);
int clmdb_get(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, struct clmdb_bytes *value);
int clmdb_put(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, const void *value, size_t value_count);
/// The same for a key that is not there: CLMDB_EXISTS if it is, and nothing happens.
int clmdb_add(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, const void *value, size_t value_count);
int clmdb_delete(struct clmdb_transaction *transaction, unsigned table, const void *key,
                 size_t key_count);

int clmdb_cursor_open(struct clmdb_transaction *transaction, unsigned table,
                      struct clmdb_cursor **cursor);
void clmdb_cursor_close(struct clmdb_cursor *cursor);
/// The first entry whose key is at or after `key`; with no key, the first of all.
int clmdb_cursor_seek(struct clmdb_cursor *cursor, const void *key, size_t key_count,
                      struct clmdb_bytes *found_key, struct clmdb_bytes *value);
int clmdb_cursor_next(struct clmdb_cursor *cursor, struct clmdb_bytes *key,
                      struct clmdb_bytes *value);

/// Whether a code says that there is no such directory.
bool clmdb_means_no_directory(int code);
/// Whether a code says that the file may not grow: no space, no quota, or the process's file limit.
bool clmdb_means_disk_full(int code);
/// A static text, or one of strerror's.
const char *clmdb_text(int code);

#endif
