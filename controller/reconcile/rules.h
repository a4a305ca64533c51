/* What the rules of a living and of a terminating resource share. Private to reconcile/.
 *
 * A rule looks at the world and either decides (fills *step, returns true) or passes on.
 */
#ifndef RECONCILE_RULES_H
#define RECONCILE_RULES_H

#include "reconcile/credential.h"

typedef bool rule_fn(const struct world *world, struct step *step);

/* The first rule that decides; one always does. */
struct step rules_apply(rule_fn *const *rules, const struct world *world);

struct step decide_living(const struct world *world);
struct step decide_terminating(const struct world *world);

/* ---- endings ---- */

bool rule_wait(struct step *step, int64_t until_ms);
bool rule_step(struct step *step, enum step_kind kind);
bool rule_verdict(struct step *step, enum verdict_kind kind, const char *reason, int64_t until_ms,
                  const char *format, ...) PRINTF_LIKE(5, 6);

/* ---- rules of both ---- */

/* The API server refused or failed: wait, whatever is due. */
bool rule_wait_for_kubernetes(const struct world *world, struct step *step);
/* A revision Secret that status or the target names is read before it counts as lost: the cache may
 * only be late. */
bool rule_look_for_revision(const struct world *world, struct step *step);
/* A credential that this process minted and that nobody will name is revoked. */
bool rule_discard(const struct world *world, struct step *step);
/* An answered create that is not to be stored any more is revoked. */
bool rule_revoke_answer(const struct world *world, struct step *step);
/* The admin Secret is needed at Deepgram and can't be used: says why. for_issuing: minting asks for
 * more than revoking. */
bool rule_admin_problem(const struct world *world, struct step *step, bool for_issuing);
/* Deepgram failed or throttles: wait for its time. */
bool rule_wait_for_deepgram(const struct world *world, struct step *step);
/* The check before publishing failed: no further credential until its time. */
bool rule_wait_for_check(const struct world *world, struct step *step);
/* An inventory taken after `since_ms` is needed. Decides (list, or wait for the time to) unless
 * there is one. */
bool rule_need_list(const struct world *world, struct step *step, int64_t since_ms);
/* A credential with our marker that nothing names: revoke it, unless a pod may hold it. */
bool rule_sweep_orphan(const struct world *world, struct step *step);

/* The revision Secret of a credential that is gone at Deepgram goes too, unless it is all that
 * tells that pods failed on it. */
bool rule_drop_gone(const struct world *world, struct step *step);

/* It failed or asked for a pause: not to be asked just now. */
bool rules_deepgram_rests(const struct world *world);
/* Monotonic time since when an open announcement can have been carried out without our noticing:
 * the last one that this process made or lost the answer to, or the start of this process. */
int64_t rules_open_since_ms(const struct world *world);
/* A pod wakes the resources whose Secret it refers to. When to look for those that may wake nobody:
 * of an earlier target that isn't ours any more, or, in a namespace that goes, of any. INT64_MAX:
 * there are none. */
int64_t rules_poll_pods_ms(const struct world *world);
/* Monotonic time for a wall clock time. */
int64_t rules_monotonic(const struct world *world, int64_t wall_ms);
/* When the roll-out goes on, or what status tells of it changes, by time alone; monotonic, whatever
 * else is waited for. INT64_MAX: only after an event. */
int64_t rules_roll_out_again_ms(const struct world *world);
/* The earlier one. */
int64_t rules_sooner(int64_t a, int64_t b);

#endif
