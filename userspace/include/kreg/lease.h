/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of <kreg.h>: objects on loan, for work that must neither be lost nor done twice. */
#ifndef KREG_LEASE_H
#define KREG_LEASE_H

#include <kreg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct kreg_loan - an object on loan to the calling process
 * @size: sizeof(struct kreg_loan), set by the caller
 * @version: version of the object on loan, which no other loan has: a fencing token
 * @loans: how often the object was lent since it was written, this time included
 */
struct kreg_loan {
	size_t size;
	uint64_t version;
	uint32_t loans;
};

#define KREG_LOAN_INIT	{ sizeof(struct kreg_loan), 0, 0 }

/**
 * kreg_lease() - take an object on loan
 * @table: the table, which the caller may read and write
 * @key: the key
 * @key_len: its length
 * @lease_ms: after so many milliseconds the object is back by itself; 0: the loan lasts until
 *	it is ended, or the process is dead
 * @value: the value, followed by a NUL that does not count; to be freed with free()
 * @len: its length; may be NULL
 * @loan: what identifies the loan; may be NULL
 *
 * Until the loan ends nobody else finds the object, can take it, or can put another in its
 * place. It ends with kreg_lease_done(), kreg_lease_return(), after @lease_ms, or when the process
 * is dead, whatever has killed it: then the object is in its place again, as it was, and
 * kreg_when() and subscribers are told. A loan is the process's, not the thread's, and goes on over
 * execve(2); a forked child has none.
 *
 * Any thread at any time. On error nothing has happened.
 *
 * Errors: -ENODATA: nothing is there; -EBUSY: it is on loan to another; -EALREADY: it is on loan
 * to this process; -EOPNOTSUPP: it is bound to a process, or expires; -EDQUOT: bound objects of
 * the user; -EACCES; -ESTALE; -EINVAL: @loan->size.
 */
int kreg_lease(struct kreg_table *table, const void *key, size_t key_len, uint32_t lease_ms,
	       void **value, size_t *len, struct kreg_loan *loan)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_lease_done() - remove an object that is on loan: its work is done
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @loan: of kreg_lease(); NULL: whichever this process has
 *
 * Errors: -ENODATA, -ECANCELED: the loan has ended, and the object is, or was, another's.
 */
int kreg_lease_done(struct kreg_table *table, const void *key, size_t key_len,
		    const struct kreg_loan *loan) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/** kreg_lease_return() - likewise put it back into its place, as it is. */
int kreg_lease_return(struct kreg_table *table, const void *key, size_t key_len,
		      const struct kreg_loan *loan) KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_lease_update() - change the value of an object that is on loan
 * @table: the table
 * @key: the key
 * @key_len: its length
 * @value: the new value
 * @value_len: its length
 * @loan: of kreg_lease(); gets the new version, by which the calls after this one know the loan;
 *	NULL: whichever this process has, and then NULL has to be given to those calls, too
 *
 * The loan goes on, and so does its time. Whoever has the object next finds the new value.
 */
int kreg_lease_update(struct kreg_table *table, const void *key, size_t key_len,
		      const void *value, size_t value_len, struct kreg_loan *loan)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

/**
 * kreg_loans() - how often an object was lent since it was written
 *
 * Errors: -ENODATA: nothing is there, or it is on loan to another.
 */
int64_t kreg_loans(struct kreg_table *table, const void *key, size_t key_len)
	KREG_NONNULL_FIRST KREG_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif /* KREG_LEASE_H */
