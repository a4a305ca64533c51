/* The spec of the two custom resources. Pure. Pointers are borrowed from the JSON.
 *
 * A member with an error keeps its default, and the rest is read all the same: deleting a resource
 * needs its deletionPolicy, however wrong another field is.
 */
#ifndef API_SPEC_H
#define API_SPEC_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "api/attempt.h"
#include "api/resource_kind.h"
#include "base/err.h"

struct resource;

enum deletion_policy { DELETION_REVOKE, DELETION_RETAIN };
/* What is done about pods that hold an older key: restart their workloads, wait until somebody else
 * does, or revoke by time alone. */
enum rollout_mode { ROLLOUT_RESTART, ROLLOUT_WAIT, ROLLOUT_IGNORE };
/* Ordered: a role may make roles up to itself. */
enum role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN, ROLE_OWNER };

const char *role_name(enum role role);
NODISCARD bool role_parse(const char *name, enum role *ret_role);

enum {
    DEFAULT_OVERLAP_MS = 3600 * 1000,
    DEFAULT_ROLLOUT_TIMEOUT_MS = 2 * 3600 * 1000,
    DEFAULT_VERIFY_TIMEOUT_MS = 30 * 1000,
};
#define CREDENTIALS_DEFAULT_KEY "DEEPGRAM_API_KEY"
#define SCOPE_DEFAULT "self-hosted:products"
#define PROVIDER_QUAY "quay"

struct spec {
    const char *project_id;       /* "" when it is no UUID */
    const char *credentials_name; /* NULL: the operator's default credentials; "": unusable */
    const char *credentials_key;  /* entry of that Secret; never NULL */
    const char *comment;          /* NULL: "<namespace>/<name>" */
    const cJSON *scopes;          /* array of strings; NULL: [self-hosted:products] */
    enum role role;               /* ROLE_MEMBER by default; pull Secrets have ROLE_NONE */
    const cJSON *tags;            /* array of strings or NULL */
    int64_t valid_for_ms;         /* 0: not given */
    int64_t expires_at_ms;        /* 0: not given */
    int64_t rotation_every_ms;    /* 0: not given */
    int64_t rotation_before_ms;   /* -1: a third of the lifetime */
    int64_t rotation_overlap_ms;
    enum rollout_mode rollout_mode;
    const cJSON *rollout_workloads; /* array of {kind, name}; NULL: whatever uses the target */
    int64_t rollout_timeout_ms;     /* how long a restarted workload's pods may fail */
    enum deletion_policy deletion_policy;
    bool suspend;
    const char *secret_name;    /* the target; never NULL */
    const cJSON *secret_labels; /* objects of strings, or NULL */
    const cJSON *secret_annotations;
    const cJSON *service_accounts; /* pull Secrets: array of names; NULL: none */
    const char *verify_repository; /* pull Secrets; NULL: not given */
    const char *verify_url;        /* API keys: verify.streaming.url; NULL: not given */
    int64_t verify_timeout_ms;
    const cJSON *secret_data; /* templates; NULL: {DEEPGRAM_API_KEY: "${apiKey}"} */
};

/* Takes any JSON or NULL. False when the spec can't be used: INVALID names the first field and what
 * is wrong with it; ret_spec is filled in any case. */
NODISCARD bool spec_parse(enum resource_kind kind, const cJSON *json, const char *resource_name,
                          struct spec *ret_spec, struct err *err);

/* The scopes to ask for, in order, without doubles: spec.scopes or the default, and the role for
 * API keys. The caller deletes it. */
NODISCARD cJSON *spec_scopes(const struct resource *resource);
/* The comment to ask for, without the marker; free with mem_free. */
NODISCARD char *spec_comment(const struct resource *resource);
/* Digest of the fields that a credential is made of; an explicit default and an absent field are
 * the same. */
void spec_digest(const struct resource *resource, char ret_hash[SPEC_HASH_BYTES]);

#endif
