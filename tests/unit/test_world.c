/* What is known of one resource's credentials, put together from several places. */
#include "world_changes.h"

/* ---- what a process remembers ---- */

static void test_what_is_gone_is_remembered_up_to_a_number(void **state)
{
    (void)state;
    struct memory *memory = memory_new(FIXTURE_UID, 5);
    assert_string_equal(memory->uid, FIXTURE_UID);
    assert_int_equal(memory->known_since_ms, 5);
    assert_int_equal(memory->deleting_since_ms, NEVER);
    assert_int_equal(memory->door_closed_ms, NEVER);
    assert_int_equal(memory->unknown_ms, NEVER);
    for (int i = 0; i < GONE_MAX + 2; i++) {
        auto_free char *id = mem_printf("key-%d", i);
        memory_add_gone(memory, id, 10);
        memory_add_gone(memory, id, 10 + i);
        assert_true(memory_is_gone(memory, id));
    }
    assert_int_equal(memory->gone_count, GONE_MAX);
    assert_false(memory_is_gone(memory, "key-1"));
    assert_true(memory_is_gone(memory, "key-2"));
    assert_int_equal(memory->gone[0].at_ms, 12);
    memory_free(memory);
    memory_free(NULL);
}

static void test_a_mint_is_announced_and_then_issued(void **state)
{
    (void)state;
    struct memory *memory = memory_new("uid", 1);
    assert_null(memory_announced(memory));
    assert_false(memory_announces(memory, ""));
    assert_null(memory_issued(memory));
    assert_false(memory_holds(memory, ""));
    memory_announce(memory, &(struct attempt){ .revision = 1, .nonce = "n1" }, 50);
    memory_announce(memory, &(struct attempt){ .revision = 2, .nonce = "n2" }, 60);
    assert_int_equal(memory->announced_ms, 60);
    assert_int_equal(memory_announced(memory)->revision, 2);
    assert_true(memory_announces(memory, "n2"));
    assert_false(memory_announces(memory, "n1"));
    assert_null(memory_issued(memory));
    struct credential credential = { .id = mem_strdup("key-2") };
    memory_issue(memory, &credential);
    assert_null(credential.id);
    assert_null(memory_announced(memory));
    assert_false(memory_announces(memory, "n2"));
    assert_int_equal(memory_issued(memory)->attempt.revision, 2);
    assert_true(memory_holds(memory, "key-2"));
    assert_false(memory_holds(memory, "key-1"));
    memory_end_mint(memory);
    memory_end_mint(memory);
    assert_null(memory_issued(memory));
    assert_int_equal(memory->announced_ms, 60);
    memory_free(memory);
}

static void test_a_confirmation_counts_for_one_list(void **state)
{
    (void)state;
    struct memory *memory = memory_new(FIXTURE_UID, 0);
    memory_confirm(memory, "key-1", 100);
    memory_confirm(memory, "key-2", 100);
    assert_true(memory_is_confirmed(memory, "key-1", 100));
    assert_true(memory_is_confirmed(memory, "key-2", 100));
    assert_false(memory_is_confirmed(memory, "key-3", 100));
    assert_false(memory_is_confirmed(memory, "key-1", 101));
    memory_confirm(memory, "key-3", 200);
    assert_false(memory_is_confirmed(memory, "key-1", 200));
    assert_true(memory_is_confirmed(memory, "key-3", 200));
    for (int i = 0; i < CONFIRMED_MAX; i++) {
        auto_free char *id = mem_printf("more-%d", i);
        memory_confirm(memory, id, 200);
        assert_true(memory_is_confirmed(memory, id, 200));
    }
    assert_in_range(memory->confirmed_count, 1, CONFIRMED_MAX);
    memory_free(memory);
}

/* ---- changes ---- */

static void secret_of_a_namesake(struct world_fixture *fixture)
{
    cJSON *secret = world_add_secret(fixture, 4, ISSUED_AT_1);
    world_put(secret, "metadata.ownerReferences",
              "[{\"controller\":true,\"uid\":\"" FIXTURE_OTHER_UID "\"}]");
}

static void secret_4_released(struct world_fixture *fixture)
{
    cJSON *secret = world_add_secret(fixture, 4, ISSUED_AT_1);
    world_put(secret, "metadata.ownerReferences", "[]");
}

static void nonce_of_attempt_2(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_NONCE, "open2");
}

static void note_in_status(struct world_fixture *fixture, const char *revisions)
{
    world_put(fixture->json, "status.revisions", revisions);
}

static void noted_5_3_4(struct world_fixture *fixture)
{
    note_in_status(fixture, "[{\"revision\":5,\"id\":\"key-5\",\"state\":\"Current\"},"
                            "{\"revision\":3,\"id\":\"key-3\",\"state\":\"Revoked\"},"
                            "{\"revision\":4,\"id\":\"key-4\",\"state\":\"Retiring\"}]");
}

static void status_says_9(struct world_fixture *fixture)
{
    world_put(fixture->json, "status.revision", "9");
}

static void forty_secrets(struct world_fixture *fixture)
{
    for (int i = FIXTURE_SECRETS_MAX; i > 0; i--)
        world_add_secret(fixture, i, ISSUED_AT_1);
}

static void forty_secrets_in_order(struct world_fixture *fixture)
{
    for (int i = 1; i <= FIXTURE_SECRETS_MAX; i++)
        world_add_secret(fixture, i, ISSUED_AT_1);
}

static void target_holds_unknown_8(struct world_fixture *fixture)
{
    world_hold(fixture, 8, "key-8");
}

static void target_number_changed(struct world_fixture *fixture)
{
    fixture->world.target.revision = 9;
}

static void target_number_removed(struct world_fixture *fixture)
{
    fixture->world.target.revision = 0;
}

static void target_number_of_the_other(struct world_fixture *fixture)
{
    fixture->world.target.revision = 1;
}

static void target_id_changed(struct world_fixture *fixture)
{
    fixture->world.target.id = "key-9";
}

static void target_id_removed(struct world_fixture *fixture)
{
    fixture->world.target.id = "";
    fixture->world.target.metadata_current = false;
}

static void target_not_ours(struct world_fixture *fixture)
{
    fixture->world.target.ours = false;
}

/* ---- revisions ---- */

static char *describe_revisions(const struct world *world)
{
    char *text = NULL;
    for (size_t i = 0; i < world->revision_count; i++) {
        const struct world_revision *revision = &world->revisions[i];
        auto_free char *word =
            mem_printf("%lld:%s%s%s%s", (long long)revision->number, revision->id,
                       revision->secret ? "+secret" : "", revision->noted ? "+noted" : "",
                       revision->gone ? "+gone" : "");
        world_append(&text, word);
    }
    auto_free char *highest = mem_printf("highest %lld", (long long)world->highest_revision);
    world_append(&text, highest);
    const struct world_revision *newest = world_newest(world);
    const struct world_revision *published_now = world_published(world);
    auto_free char *last =
        mem_printf("newest %lld published %lld%s", newest ? (long long)newest->number : 0LL,
                   published_now ? (long long)published_now->number : 0LL,
                   world->target.metadata_current ? " current" : "");
    world_append(&text, last);
    return text;
}

static void test_revisions_are_the_union_of_what_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *world;
    } rows[] = {
        { "nothing", { NULL }, "highest 0 newest 0 published 0" },
        { "one that is kept", { kept }, "1:key-1+secret highest 1 newest 1 published 0" },
        { "one that is published",
          { published },
          "1:key-1+secret+noted highest 1 newest 1 published 1 current" },
        { "a status that was wiped",
          { published, status_wiped },
          "1:key-1+secret highest 1 newest 1 published 1 current" },
        { "a revision Secret that is lost",
          { published, secret_lost },
          "1:key-1+noted highest 1 newest 0 published 1 current" },
        { "one that is being deleted counts until it is gone",
          { in_target, secret_deleting },
          "1:key-1+secret highest 1 newest 1 published 1 current" },
        { "only the target is left",
          { target_holds_unknown_8 },
          "8:key-8 highest 8 newest 0 published 8 current" },
        { "a credential that is gone",
          { rotated, key_2_gone },
          "1:key-1+secret+noted 2:key-2+secret+noted+gone highest 2 newest 1 published 0 current" },
        { "in order, however they are noted",
          { noted_5_3_4 },
          "3:key-3+noted+gone 4:key-4+noted 5:key-5+noted highest 5 newest 0 published 0" },
        { "a namesake's Secret counts for the number only",
          { published, secret_of_a_namesake },
          "1:key-1+secret+noted highest 4 newest 1 published 1 current" },
        { "nobody's too",
          { published, secret_4_released },
          "1:key-1+secret+noted highest 4 newest 1 published 1 current" },
        { "unless the status names it",
          { published, secret_released },
          "1:key-1+secret+noted highest 1 newest 1 published 1 current" },
        { "or an announcement",
          { kept, secret_released, attempt_2_open, nonce_of_attempt_2 },
          "1:key-1+secret highest 2 newest 1 published 0" },
        { "the number in the status",
          { kept, status_says_9 },
          "1:key-1+secret highest 9 newest 1 published 0" },
        { "an announced number",
          { kept, attempt_2_open },
          "1:key-1+secret highest 2 newest 1 published 0" },
        { "a listed number", { kept, orphan }, "1:key-1+secret highest 5 newest 1 published 0" },
        { "the number of a target that isn't ours says nothing",
          { target_holds_unknown_8, target_not_ours },
          "highest 0 newest 0 published 0 current" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        auto_free char *text = describe_revisions(&fixture->world);
        fixture_expect(rows[i].name, text, rows[i].world);
        world_derive(&fixture->world);
        auto_free char *again = describe_revisions(&fixture->world);
        fixture_expect(rows[i].name, again, rows[i].world);
    }
}

static void test_the_id_tells_what_the_target_holds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        int64_t revision;
        const char *id;
        bool current;
    } rows[] = {
        { "as it was written", { rotated }, 2, "key-2", true },
        { "its number was changed", { rotated, target_number_changed }, 2, "key-2", false },
        { "to that of another revision",
          { rotated, target_number_of_the_other },
          2,
          "key-2",
          false },
        { "its number was removed", { rotated, target_number_removed }, 2, "key-2", false },
        { "its id was changed", { rotated, target_id_changed }, 2, "key-2", false },
        { "its id was removed", { rotated, target_id_removed }, 2, "key-2", false },
        { "both were changed",
          { rotated, target_number_changed, target_id_changed },
          9,
          "key-9",
          true },
        { "its id was changed, its number removed",
          { rotated, target_number_removed, target_id_changed },
          0,
          NULL,
          true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        const struct world_revision *revision = world_published(&fixture->world);
        if ((revision ? revision->number : 0) != rows[i].revision ||
            fixture->world.target.metadata_current != rows[i].current)
            fail_msg("%s: %lld", rows[i].name, revision ? (long long)revision->number : 0LL);
        fixture_expect(rows[i].name, revision ? revision->id : NULL, rows[i].id);
    }
}

static void test_of_too_many_the_oldest_give_way(void **state)
{
    (void)state;
    static world_change_fn *const orders[] = { forty_secrets, forty_secrets_in_order };
    for (size_t i = 0; i < ARRAY_LENGTH(orders); i++) {
        auto_world struct world_fixture *fixture = WORLD(orders[i]);
        const struct world *world = &fixture->world;
        assert_int_equal(world->revision_count, WORLD_REVISIONS_MAX);
        for (int n = 0; n < WORLD_REVISIONS_MAX; n++)
            assert_int_equal(world->revisions[n].number,
                             FIXTURE_SECRETS_MAX - WORLD_REVISIONS_MAX + 1 + n);
        assert_int_equal(world->highest_revision, FIXTURE_SECRETS_MAX);
        assert_null(world_revision(world, 8));
        assert_string_equal(world_revision(world, 9)->id, "key-9");
    }
}

static void test_what_is_published(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        int64_t revision;
    } rows[] = {
        { "what the target holds", { rotated }, 2 },
        { "nothing without a target", { rotated, target_gone }, 0 },
        { "nothing in a target that is being deleted", { rotated, target_deleting }, 0 },
        { "nothing in somebody else's", { rotated, target_of_another }, 0 },
        { "nothing that is gone at Deepgram", { rotated, key_2_gone }, 0 },
        { "also without its revision Secret", { rotated, secret_lost }, 2 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        const struct world_revision *revision = world_published(&fixture->world);
        if ((revision ? revision->number : 0) != rows[i].revision)
            fail_msg("%s", rows[i].name);
    }
}

static void test_what_is_known_of_the_target(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published);
    assert_false(world_target_differs(&fixture->world));
    assert_false(world_is_useless(&fixture->world));
    auto_world struct world_fixture *known = WORLD(published, compared_different, target_useless);
    assert_true(world_target_differs(&known->world));
    assert_true(world_is_useless(&known->world));
    auto_world struct world_fixture *since =
        WORLD(published, compared_different, target_useless, target_touched);
    assert_false(world_target_differs(&since->world));
    assert_false(world_is_useless(&since->world));
    auto_world struct world_fixture *none = WORLD(target_gone);
    assert_false(world_target_differs(&none->world));
}

static void test_credentials_that_may_live(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        bool holds;
    } rows[] = {
        { "none", { NULL }, false },
        { "one", { kept }, true },
        { "one without a revision Secret", { published, secret_lost, target_gone }, true },
        { "one that is gone", { published, key_1_gone }, false },
        { "one of two", { rotated, key_1_gone }, true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        if (world_holds_credential(&fixture->world) != rows[i].holds)
            fail_msg("%s", rows[i].name);
    }
}

/* ---- creates ---- */

static void test_which_announcements_may_have_left_something(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        bool open;
    } rows[] = {
        { "none", { published }, false },
        { "one of a former process", { attempt_2_open }, true },
        { "one that was kept", { rotated, attempt_2_open }, false },
        { "one that is answered", { answered_2 }, false },
        { "one that was refused", { refused_2 }, false },
        { "one that is not sent yet", { announced_2 }, false },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        if (world_any_attempt_open(&fixture->world) != rows[i].open)
            fail_msg("%s", rows[i].name);
    }
}

static void listed_1(struct world_fixture *fixture)
{
    world_add_entry(fixture, "key-1", 1, "n1");
}

static void listed_2(struct world_fixture *fixture)
{
    world_add_entry(fixture, "key-2", 2, "open2");
}

static void listed_4(struct world_fixture *fixture)
{
    world_add_entry(fixture, "key-4", 4, "n4");
}

static void gone_since_the_list(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-5",
                    fixture->world.inventory.listed_at_ms - SETTLE_MS + 1);
}

static void gone_before_the_list(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-5", fixture->world.inventory.listed_at_ms - SETTLE_MS);
}

static void test_orphans(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *orphan, *loose;
    } rows[] = {
        { "nothing is listed", { published }, NULL, NULL },
        { "one of a revision", { published, listed_1 }, NULL, NULL },
        { "one behind it", { published, listed_1, orphan }, "key-5", "key-5" },
        { "one of a revision Secret that isn't ours",
          { secret_of_a_namesake, listed_4 },
          NULL,
          NULL },
        { "one in flight", { answered_2, listed_2 }, NULL, NULL },
        { "one in a target that isn't ours",
          { target_holds_unknown_8, target_not_ours, orphan },
          "key-5",
          "key-5" },
        { "revoked, and lists lag", { published, orphan, gone_since_the_list }, NULL, NULL },
        { "revoked long before the list",
          { published, orphan, gone_before_the_list },
          "key-5",
          "key-5" },
        { "nobody may hold it", { orphan }, "key-5", "key-5" },
        { "an old pod may hold it", { published, orphan, old_pod }, "key-5", NULL },
        { "a new one doesn't", { published, orphan, pod }, "key-5", "key-5" },
        { "any may when nothing is published", { orphan, pod }, "key-5", NULL },
        { "one of an earlier target may", { published, orphan, old_target_in_use }, "key-5", NULL },
        { "not one on somebody else's Secret",
          { target_of_another, orphan, old_pod },
          "key-5",
          "key-5" },
        { "one on a target that we lost may",
          { published, target_released, orphan, old_pod },
          "key-5",
          NULL },
        { "not what an open create left",
          { attempt_2_open, orphan_of_attempt, orphan, old_pod },
          "key-2",
          "key-2" },
        { "that one behind another",
          { attempt_2_open, orphan, orphan_of_attempt, old_pod },
          "key-5",
          "key-2" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        const struct inventory_entry *any = world_orphan(&fixture->world);
        const struct inventory_entry *loose = world_loose_orphan(&fixture->world);
        fixture_expect(rows[i].name, any ? any->id : NULL, rows[i].orphan);
        fixture_expect(rows[i].name, loose ? loose->id : NULL, rows[i].loose);
    }
}

/* ---- what pods failed on ---- */

static void failed_noted_only(struct world_fixture *fixture)
{
    taken_back(fixture);
    cJSON *annotations = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(fixture->secrets[1], "metadata"), "annotations");
    cJSON_DeleteItemFromObjectCaseSensitive(annotations, ANNOTATION_FAILED_AT);
}

static void third_kept(struct world_fixture *fixture)
{
    world_add_secret(fixture, 3, ISSUED_AT_2);
}

static void first_gone(struct world_fixture *fixture)
{
    memory_add_gone(fixture->memory, "key-1", MONOTONIC_MS);
}

static void test_what_failed_is_neither_newest_nor_to_fall_back_on(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        int64_t newest, taken_back, fallback; /* 0: none */
    } rows[] = {
        { "none failed", { rotating }, 2, 0, 1 },
        { "the published one failed", { rotating, failed }, 1, 2, 1 },
        { "it was taken back", { taken_back }, 1, 2, 0 },
        { "status alone knows", { failed_noted_only }, 1, 2, 0 },
        { "a later one is issued", { taken_back, third_kept }, 3, 2, 0 },
        { "a later one is issued before it is taken back",
          { rotating, failed, third_kept },
          3,
          0,
          1 },
        { "there is nothing else", { rotating, failed, first_gone }, 0, 2, 0 },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        const struct world_revision *newest = world_newest(&fixture->world);
        const struct world_revision *back = world_taken_back(&fixture->world);
        const struct world_revision *fallback = world_fallback(&fixture->world);
        if ((newest ? newest->number : 0) != rows[i].newest ||
            (back ? back->number : 0) != rows[i].taken_back ||
            (fallback ? fallback->number : 0) != rows[i].fallback)
            fail_msg("%s", rows[i].name);
    }
}

static void test_numbers_that_a_namesake_left_on_a_template_are_not_used_again(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(rotating);
    struct workload_view *workload = world_add_workload(fixture, "engine");
    static const struct {
        const char *marker;
        int64_t highest;
    } rows[] = { { "", 2 }, { "1", 2 }, { "7", 7 }, { "x", 7 }, { "1000001", 7 } };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        workload->marker = rows[i].marker;
        world_count_markers(&fixture->world);
        assert_int_equal(fixture->world.highest_revision, rows[i].highest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_gone_is_remembered_up_to_a_number),
        cmocka_unit_test(test_a_mint_is_announced_and_then_issued),
        cmocka_unit_test(test_a_confirmation_counts_for_one_list),
        cmocka_unit_test(test_revisions_are_the_union_of_what_is_known),
        cmocka_unit_test(test_the_id_tells_what_the_target_holds),
        cmocka_unit_test(test_of_too_many_the_oldest_give_way),
        cmocka_unit_test(test_what_is_published),
        cmocka_unit_test(test_what_is_known_of_the_target),
        cmocka_unit_test(test_credentials_that_may_live),
        cmocka_unit_test(test_which_announcements_may_have_left_something),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_what_failed_is_neither_newest_nor_to_fall_back_on),
        cmocka_unit_test(test_numbers_that_a_namesake_left_on_a_template_are_not_used_again),
    };
    return fixture_run(tests);
}
