/* Items are foreign: what bears our marker and can't be named refuses the list, because an entry
 * left out would read as "there is no such key". */
#include "deepgram/listing.h"

#include <stdlib.h>
#include <string.h>

#include "api/name.h"
#include "api/timestamp.h"
#include "base/fingerprint.h"
#include "base/json.h"
#include "base/json_items.h"
#include "deepgram/request.h"

enum {
    MAX_LIST_BYTES = 64 << 20,
    MAX_ITEM_BYTES = 1 << 20,
};

struct deepgram_listing {
    const struct credential_kind *kind;
    struct json_items *items;
    size_t bytes;
    struct deepgram_list list;
    size_t capacity;
    uint64_t *others; /* fingerprints of uids, ascending */
    size_t other_count;
};

void deepgram_list_done(struct deepgram_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        mem_free((char *)(uintptr_t)list->entries[i].id);
    mem_free(list->entries);
    *list = (struct deepgram_list){ 0 };
}

static void add_entry(struct deepgram_listing *listing, const char *id, const struct marker *marker,
                      int64_t expires_at_ms)
{
    struct deepgram_list *list = &listing->list;
    if (list->count == listing->capacity) {
        listing->capacity = listing->capacity > 0 ? 2 * listing->capacity : 16;
        list->entries = mem_realloc(list->entries, listing->capacity * sizeof list->entries[0]);
    }
    size_t id_size = strlen(id) + 1;
    size_t uid_size = strlen(marker->uid) + 1;
    char *texts = mem_alloc(id_size + uid_size + strlen(marker->nonce) + 1);
    struct inventory_entry *entry = &list->entries[list->count++];
    *entry = (struct inventory_entry){
        .id = memcpy(texts, id, id_size),
        .uid = memcpy(texts + id_size, marker->uid, uid_size),
        .nonce = memcpy(texts + id_size + uid_size, marker->nonce, strlen(marker->nonce)),
        .revision = marker->revision,
        .expires_at_ms = expires_at_ms,
    };
}

static bool is_of_others(const struct deepgram_listing *listing, const char *uid)
{
    uint64_t key = fingerprint(uid);
    return listing->other_count > 0 &&
           bsearch(&key, listing->others, listing->other_count, sizeof key, fingerprint_order);
}

static bool read_item(void *context, const cJSON *json)
{
    struct deepgram_listing *listing = context;
    if (!cJSON_IsObject(json))
        return false;
    const cJSON *description = credential_description(listing->kind, json);
    const char *id = json_string_member(description, listing->kind->id_field);
    struct marker marker;
    if (!marker_parse(json_string_member(description, "comment"), json_member(description, "tags"),
                      &marker)) {
        listing->list.foreign++;
        return true;
    }
    if (!name_is_credential_id(id))
        return false;
    if (is_of_others(listing, marker.uid))
        return true;
    add_entry(listing, id, &marker,
              timestamp_or(json_string_member(description, "expiration_date"), 0));
    return true;
}

struct deepgram_listing *deepgram_listing_new(enum resource_kind kind)
{
    struct deepgram_listing *listing = mem_alloc(sizeof *listing);
    listing->kind = credential_kind(kind);
    listing->items = json_items_new(listing->kind->list_field, MAX_ITEM_BYTES, read_item, listing);
    return listing;
}

void deepgram_listing_free(struct deepgram_listing *listing)
{
    if (!listing)
        return;
    json_items_free(listing->items);
    mem_free(listing->others);
    deepgram_list_done(&listing->list);
    mem_free(listing);
}

void deepgram_listing_leave_out(struct deepgram_listing *listing, uint64_t *uids, size_t count)
{
    mem_free(listing->others);
    listing->others = uids;
    listing->other_count = count;
}

bool deepgram_listing_feed(struct deepgram_listing *listing, const char *bytes, size_t length)
{
    listing->bytes += length;
    if (listing->bytes > MAX_LIST_BYTES)
        return false;
    json_items_feed(listing->items, bytes, length);
    return true;
}

bool deepgram_listing_take(struct deepgram_listing *listing, struct deepgram_list *ret_list)
{
    *ret_list = (struct deepgram_list){ 0 };
    if (!json_items_are_complete(listing->items))
        return false;
    *ret_list = listing->list;
    listing->list = (struct deepgram_list){ 0 };
    return true;
}
