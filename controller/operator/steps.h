/* One function per kind of step. Each starts what it has to and ends in exactly one of
 * pass_continue(), pass_fail() and pass_end(). None looks at spec or status to decide anything:
 * that was decide()'s.
 */
#ifndef OPERATOR_STEPS_H
#define OPERATOR_STEPS_H

#include "operator/pass.h"

/* steps_kube.c */
void step_report(struct pass *pass);
void step_mark_admin(struct pass *pass);
void step_announce(struct pass *pass);
void step_protect(struct pass *pass);
void step_close_attempts(struct pass *pass);
void step_drop_finalizer(struct pass *pass);
/* steps_secret.c */
void step_keep(struct pass *pass);
void step_publish(struct pass *pass);
void step_compare_target(struct pass *pass);
void step_look_at_target(struct pass *pass);
void step_delete_target(struct pass *pass);
void step_drop_revision(struct pass *pass);
/* A write of a Secret failed: after a conflict, and when it is gone, it is looked at again. */
void secret_failed(struct pass *pass, const char *name, const struct err *err);
/* What somebody else did to the target was undone once more: see limiter.h. */
void note_heal(struct pass *pass);
/* steps_owners.c */
void step_claim(struct pass *pass);
void step_anchor(struct pass *pass);
void step_release(struct pass *pass);
/* steps_recover.c */
void step_look_for_revision(struct pass *pass);
void step_keep_again(struct pass *pass);
void step_adopt(struct pass *pass);
void step_confirm(struct pass *pass);
/* steps_deepgram.c */
void step_create(struct pass *pass);
void step_list(struct pass *pass);
/* steps_check.c */
void step_check(struct pass *pass);
/* steps_rollout.c */
void step_restart(struct pass *pass);
void step_put_back(struct pass *pass);
void step_take_back(struct pass *pass);
/* steps_verify.c */
void step_verify(struct pass *pass);
/* steps_accounts.c */
void step_watch_accounts(struct pass *pass);
void step_note_account(struct pass *pass);
void step_add_to_account(struct pass *pass);
void step_take_from_account(struct pass *pass);
/* steps_revoke.c */
void step_revoke(struct pass *pass);

#endif
