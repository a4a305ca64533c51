"""One-place changes of the lifecycle, each of which the simulated world has to notice.

(name, file below controller/, text, its replacement, invariant that has to catch it, arguments of
the run that does). The text must occur exactly once.
"""

def story(name):
    return f"--single --story {name}"


MUTATIONS = [
    # ---- I1: nothing alive that nobody owns ----
    ("orphans are left alone", "reconcile/rules.c",
     "    if (!orphan)\n        return false;\n",
     "    if (!orphan || world->monotonic_ms > 0)\n        return false;\n", "I1", story("issue")),
    ("a deletion doesn't wait for late creates", "reconcile/terminating.c",
     "        await_late_creates,\n", "", "I1", story("delete-early")),
    ("the finalizer is never put back", "reconcile/living.c",
     "        protect,\n", "", "I1", story("strip")),
    ("what retired is never revoked", "reconcile/living.c",
     "        revoke_retired,\n", "", "I1", story("token")),
    ("an answer is forgotten when its resource goes", "reconcile/terminating.c",
     "        give_up_when_told,\n        rule_revoke_answer,\n", "        give_up_when_told,\n", "I1",
     story("delete-early")),
    ("a lost answer counts as a refusal", "operator/steps_deepgram.c",
     "    if (err->kind == ERR_UNKNOWN_OUTCOME) {", "    if (err->kind == ERR_NONE) {", "I1",
     story("delete-early")),
    ("a late create is awaited for no time", "reconcile/terminating.c",
     "    int64_t settled = rules_open_since_ms(world) + world->settle_ms;",
     "    int64_t settled = rules_open_since_ms(world);", "I1", story("delete-early")),
    # ---- I2: no revocation under a pod ----
    ("pods of the revision before are not counted", "reconcile/living.c",
     "world->consumers.old_pods == 0", "world->consumers.old_pods < 100", "I2", story("token")),
    ("a trial that is asked for isn't waited for", "reconcile/living.c",
     " && (revision->failed || verify_is_done(world))", "", "I2", story("stream")),
    ("a deletion doesn't wait for pods", "reconcile/terminating.c",
     "        wait_for_pods,\n", "", "I2", story("delete-pods")),
    ("every pod counts as newer than the publication", "operator/gather.c",
     "created > gathered->world.target.published_at_ms + PUBLICATION_SKEW_MS", "created > 0",
     "I2", story("spec")),
    ("a pod's Secret of an earlier name is forgotten", "reconcile/living.c",
     "        drop_old_target,\n", "", "I1", story("rename")),
    # ---- I3: what is published is alive ----
    ("the door stays open while everything is revoked", "reconcile/terminating.c",
     "        close_door,\n", "", "I3", story("delete")),
    ("an edited target is believed", "reconcile/living.c",
     "        heal_target,\n", "", "I3", story("heal")),
    ("a new credential is published unchecked", "reconcile/living.c",
     "    if (!same && world->checkable &&", "    if (!same && world->checkable && newest->number < 0 &&", "I3",
     story("issue")),
    # ---- I4: one create for each need ----
    ("the lost answer to KEEP counts as a lost race", "operator/steps_secret.c",
     "    if (same)\n        kept_here", "    if (same && false)\n        kept_here", "I4",
     story("issue")),
    ("the rotate token of an announcement is not kept", "operator/steps_secret.c",
     "            attempt = &resource->attempts[i]; /* has the rotate token too */\n",
     "            attempt = &memory->issued_for;\n", "LIVELOCK", story("token")),
    ("a revision that the cache lacks counts as lost", "reconcile/living.c",
     "        look_for_current,\n", "", "I4", "--double --pairs 400000 --story hourly"),
    # ---- I5: a restart changes nothing ----
    ("status depends on what this process has seen", "reconcile/report.c",
     "    else\n        keep(status, world, \"secretResourceVersion\");\n", "", "I5",
     story("issue")),
    # ---- I6: no secret anywhere else ----
    ("the key is logged with its id", "operator/steps_deepgram.c",
     "pass->key.name, \"id\", memory->issued.id, NULL",
     "pass->key.name, \"id\", secret_reveal(&memory->issued.secret), NULL", "I6", story("issue")),
    # ---- I7: nothing of others ----
    ("everything with a marker counts as ours", "operator/inventories.c",
     "    HASH_FIND_STR(inventory->groups, uid, group);\n    *ret_view",
     "    group = inventory->groups;\n    (void)uid;\n    *ret_view", "I7", story("issue")),
    # ---- I8: the process stays up ----
    ("a resource that went meanwhile is looked at", "operator/pass.c",
     "    if (!pass->gathered || !may_go_on(pass)) {", "    if (!may_go_on(pass)) {", "I8",
     story("delete")),
    # ---- nothing stands still, nothing turns in circles ----
    ("the mark on the admin Secret stays", "operator/admin_mark.c",
     "    return !question.needed;\n", "    return false;\n", "WEDGED", story("namespace")),    ("a failure is forgotten at once", "reconcile/failure.c",
     "    return world->monotonic_ms < failure->retry_at_ms;\n", "    return false;\n",
     "LIVELOCK", story("admin-broken")),
    ("an announcement is not written down", "operator/steps_kube.c",
     "resource_metadata_patch(resource, true, text), announced",
     "resource_metadata_patch(resource, true, NULL), announced", "LIVELOCK", story("issue")),
    ("a rotate token is never spent", "reconcile/schedule.c",
     "resource->rotate[0] != '\\0' && strcmp(resource->rotate, newest->rotate) != 0 &&\n"
     "           strcmp(resource->rotate, resource->status.last_handled_rotate) != 0",
     "resource->rotate[0] != '\\0'", "LIVELOCK", story("token")),
]
