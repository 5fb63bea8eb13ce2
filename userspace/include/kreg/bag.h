/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: keys with several objects. */
#ifndef KREG_BAG_H
#define KREG_BAG_H

#include <kreg/object.h>
#include <kreg/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * In tables of the types KREG_TYPE_BAG and KREG_TYPE_DUPLICATE_BAG (those of ETS) kreg_put() and
 * kreg_register() add an object to those that its key has. They stand in the order in which they
 * came, and the keys in the order of their bytes. In a bag what is the same, in its value and in
 * the process that it is bound to, is there once: adding it again does nothing, unless it expires,
 * see kreg_put_with(). kreg_del() removes all objects of a key, kreg_del_value() those with a
 * value, and kreg_unregister() those of the calling process, each as one write.
 *
 * kreg_get() and all that is for the one object of a key, edits, loans, locks and waits for keys
 * included, are -EOPNOTSUPP in these tables. The functions here are for tables of every type, of
 * which a set has one object of a key at most.
 *
 * A registry of many processes under one key is such a table with KREG_ACCESS_REGISTRY; who they
 * are tells a scan of the key with KREG_RANGE_EXACT and KREG_SCAN_PROCESSES.
 *
 * Errors of all of them: those of <kreg/object.h>.
 */

/* The objects of a key as they were at one moment, the oldest first. */
struct kreg_objects;

/**
 * kreg_get_all() - copy all objects of a key
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @objects: to be freed with kreg_objects_free()
 *
 * Never waits for a writer. As long as others remove objects of the table, it may have to begin
 * again, the more likely the more objects the key has.
 *
 * Errors: -ENODATA: the key has none; -ENOMEM.
 */
int kreg_get_all(struct kreg_table *table, const void *key, size_t key_len,
		 struct kreg_objects **objects) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_take_all() - copy all objects of a key and remove them, in one
 *
 * As kreg_get_all(). If several take them at once, one gets them all.
 */
int kreg_take_all(struct kreg_table *table, const void *key, size_t key_len,
		  struct kreg_objects **objects) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_objects_count() - how many there are. */
size_t kreg_objects_count(const struct kreg_objects *objects) KREG_NONNULL_FIRST;

/**
 * kreg_objects_next() - the next one, at first the oldest
 *
 * Return: valid until kreg_objects_free(); NULL at the end, and then they begin anew.
 */
const struct kreg_object *kreg_objects_next(struct kreg_objects *objects) KREG_NONNULL_FIRST;

/** kreg_objects_free() - NULL is allowed. */
void kreg_objects_free(struct kreg_objects *objects);

/** kreg_object_number() - number of an object among those that its write has made. */
unsigned int kreg_object_number(const struct kreg_object *object) KREG_NONNULL_FIRST;

/**
 * kreg_count_of() - number of objects that a key has
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @objects: how many, also none
 */
int kreg_count_of(struct kreg_table *table, const void *key, size_t key_len,
		  uint64_t *objects) KREG_NONNULL_FIRST;

/**
 * kreg_del_object() - remove this very object
 * @table: the table
 * @object: from a scan, kreg_get_all() or kreg_get_object()
 *
 * Return: 1; 0: it is not there any more, or was replaced.
 */
int kreg_del_object(struct kreg_table *table, const struct kreg_object *object)
	KREG_NONNULL_FIRST;

#ifdef __cplusplus
}
#endif

#endif /* KREG_BAG_H */
