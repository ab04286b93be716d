// Transactions, tables and cursors of an LMDB environment.

#include "CLMDB.h"

#include <errno.h>
#include <lmdb.h>
#include <sys/statvfs.h>

static MDB_txn *unwrap(struct clmdb_transaction *transaction) { return (MDB_txn *)transaction; }
static MDB_cursor *unwrap_cursor(struct clmdb_cursor *cursor) { return (MDB_cursor *)cursor; }

// LMDB does not write through these; its own struct has no const.
static MDB_val value_of(const void *start, size_t count)
{
    return (MDB_val){ .mv_size = count, .mv_data = (void *)start };
}
static struct clmdb_bytes bytes_of(MDB_val value)
{
    return (struct clmdb_bytes){ .start = value.mv_data, .count = value.mv_size };
}

int clmdb_begin(struct clmdb_environment *environment, bool writes,
                struct clmdb_transaction **transaction)
{
    const unsigned flags = writes ? 0 : MDB_RDONLY;
    return mdb_txn_begin((MDB_env *)environment, NULL, flags, (MDB_txn **)transaction);
}

void clmdb_reset(struct clmdb_transaction *transaction) { mdb_txn_reset(unwrap(transaction)); }
int clmdb_renew(struct clmdb_transaction *transaction)
{
    return mdb_txn_renew(unwrap(transaction));
}

int clmdb_commit(struct clmdb_transaction *transaction)
{
    MDB_env *environment = mdb_txn_env(unwrap(transaction));
    const int status = mdb_txn_commit(unwrap(transaction));
    if (status != EIO) return status;

    // LMDB says EIO for a write that was cut short, which is how a disk that fills up looks.
    enum { NEARLY_NOTHING_BYTES = 1 << 20 };
    int descriptor = -1;
    struct statvfs disk;
    if (mdb_env_get_fd(environment, &descriptor) != 0) return status;
    if (fstatvfs(descriptor, &disk) != 0) return status;
    return disk.f_bavail * disk.f_frsize < NEARLY_NOTHING_BYTES ? ENOSPC : status;
}

void clmdb_abort(struct clmdb_transaction *transaction) { mdb_txn_abort(unwrap(transaction)); }

int clmdb_table(struct clmdb_transaction *transaction, const char *name, bool create,
                unsigned *table)
{
    return mdb_dbi_open(unwrap(transaction), name, create ? MDB_CREATE : 0, table);
}

int clmdb_table_bytes(struct clmdb_transaction *transaction, unsigned table, uint64_t *bytes)
{
    MDB_stat statistics;
    const int status = mdb_stat(unwrap(transaction), table, &statistics);
    if (status != 0) return status;
    const uint64_t pages = statistics.ms_branch_pages + statistics.ms_leaf_pages
        + statistics.ms_overflow_pages;
    *bytes = pages * statistics.ms_psize;
    return 0;
}

int clmdb_get(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, struct clmdb_bytes *value)
{
    MDB_val sought = value_of(key, key_count), found;
    const int status = mdb_get(unwrap(transaction), table, &sought, &found);
    if (status == 0) *value = bytes_of(found);
    return status;
}

int clmdb_put(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, const void *value, size_t value_count)
{
    MDB_val at = value_of(key, key_count), stored = value_of(value, value_count);
    return mdb_put(unwrap(transaction), table, &at, &stored, 0);
}

int clmdb_add(struct clmdb_transaction *transaction, unsigned table, const void *key,
              size_t key_count, const void *value, size_t value_count)
{
    MDB_val at = value_of(key, key_count), stored = value_of(value, value_count);
    return mdb_put(unwrap(transaction), table, &at, &stored, MDB_NOOVERWRITE);
}

int clmdb_delete(struct clmdb_transaction *transaction, unsigned table, const void *key,
                 size_t key_count)
{
    MDB_val at = value_of(key, key_count);
    return mdb_del(unwrap(transaction), table, &at, NULL);
}

int clmdb_cursor_open(struct clmdb_transaction *transaction, unsigned table,
                      struct clmdb_cursor **cursor)
{
    return mdb_cursor_open(unwrap(transaction), table, (MDB_cursor **)cursor);
}

void clmdb_cursor_close(struct clmdb_cursor *cursor) { mdb_cursor_close(unwrap_cursor(cursor)); }

int clmdb_cursor_seek(struct clmdb_cursor *cursor, const void *key, size_t key_count,
                      struct clmdb_bytes *found_key, struct clmdb_bytes *value)
{
    MDB_val at = value_of(key, key_count), stored;
    const MDB_cursor_op operation = key_count > 0 ? MDB_SET_RANGE : MDB_FIRST;
    const int status = mdb_cursor_get(unwrap_cursor(cursor), &at, &stored, operation);
    if (status != 0) return status;
    *found_key = bytes_of(at);
    *value = bytes_of(stored);
    return 0;
}

int clmdb_cursor_next(struct clmdb_cursor *cursor, struct clmdb_bytes *key,
                      struct clmdb_bytes *value)
{
    MDB_val at, stored;
    const int status = mdb_cursor_get(unwrap_cursor(cursor), &at, &stored, MDB_NEXT);
    if (status != 0) return status;
    *key = bytes_of(at);
    *value = bytes_of(stored);
    return 0;
}
