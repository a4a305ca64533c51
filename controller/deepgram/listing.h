/* Deepgram's list of a project's credentials, read while it comes: neither its text nor a tree of
 * it is ever whole, as ten thousand keys are megabytes. Pure.
 */
#ifndef DEEPGRAM_LISTING_H
#define DEEPGRAM_LISTING_H

#include "api/marker.h"

struct deepgram_list {
    struct inventory_entry *entries; /* only those with a marker */
    size_t count;
    size_t foreign; /* credentials without one */
};
void deepgram_list_done(struct deepgram_list *list);

struct deepgram_listing;

NODISCARD struct deepgram_listing *deepgram_listing_new(enum resource_kind kind);
void deepgram_listing_free(struct deepgram_listing *listing);

/* Before the first of them: what bears the marker of one of these resources is read and not kept.
 * Fingerprints (base/fingerprint.h) of their uids, in ascending order; taken over. */
void deepgram_listing_leave_out(struct deepgram_listing *listing, uint64_t *uids, size_t count);
/* The next bytes of a 2xx answer. False: these are more than any list has, and no more is to be
 * read. */
NODISCARD bool deepgram_listing_feed(struct deepgram_listing *listing, const char *bytes,
                                     size_t length);
/* Hands the list over, once: the caller calls deepgram_list_done. False, and *ret_list is empty,
 * when what was fed isn't a list from its beginning to its end. */
NODISCARD bool deepgram_listing_take(struct deepgram_listing *listing,
                                     struct deepgram_list *ret_list);

#endif
