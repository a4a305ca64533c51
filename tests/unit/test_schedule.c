/* When a credential is replaced, and why. */
#include "world_changes.h"

#include "api/timestamp.h"
#include "reconcile/schedule.h"

/* ---- changes ---- */

static void every_40_days(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation", "{\"every\":\"960h\"}");
}

static void every_20_days(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation", "{\"every\":\"480h\"}");
}

static void every_10_days(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation", "{\"every\":\"240h\"}");
}

static void ten_days_before(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.rotation.before", "\"240h\"");
}

/* Deepgram granted less than was asked for. */
static void granted_10_days(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-05-11T00:00:00Z");
}

/* Its last third began days ago, whatever the spread. */
static void in_mid_june(struct world_fixture *fixture)
{
    fixture->world.now_ms = NOW_MS + 10 * DAY_MS;
}

static void without_end(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.validFor", "\"1440h\"");
}

static void with_a_fixed_end(struct world_fixture *fixture)
{
    world_put(fixture->json, "spec.expiresAt", "\"2026-06-30T00:00:00Z\"");
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-06-30T00:00:00Z");
}

static void ends_before_it_began(struct world_fixture *fixture)
{
    lasts_60_days(fixture);
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, "2026-04-30T00:00:00Z");
}

static void ends_as_it_begins(struct world_fixture *fixture)
{
    lasts_60_days(fixture);
    world_annotate(fixture->secrets[0], ANNOTATION_EXPIRES_AT, ISSUED_AT_1);
}

static void token_answered_by_secret(struct world_fixture *fixture)
{
    rotation_requested(fixture);
    world_annotate(fixture->secrets[0], ANNOTATION_ROTATE, "now");
}

static void token_handled(struct world_fixture *fixture)
{
    rotation_requested(fixture);
    world_put(fixture->json, "status.lastHandledRotateRequest", "\"now\"");
}

static void another_token_answered(struct world_fixture *fixture)
{
    rotation_requested(fixture);
    world_annotate(fixture->secrets[0], ANNOTATION_ROTATE, "before");
    world_put(fixture->json, "status.lastHandledRotateRequest", "\"before\"");
}

static void token_taken_off(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_ROTATE, "before");
}

static void first_from_another_spec(struct world_fixture *fixture)
{
    world_annotate(fixture->secrets[0], ANNOTATION_SPEC_HASH, "0000000000000000");
}

/* ---- due ---- */

static void rolls_out(struct world_fixture *fixture)
{
    world_add_workload(fixture, "license-proxy");
    struct workload_view *workload = world_add_workload(fixture, "api");
    workload->old_pods = 1;
    fixture->world.consumers.old_pods = 1;
}

static void of_others(struct world_fixture *fixture)
{
    fixture->workloads[1].chosen = false;
    fixture->world.consumers.loose_example = "api-0";
}

static void of_a_paused_one(struct world_fixture *fixture)
{
    fixture->workloads[1].held = "paused";
}

static void test_why_a_credential_is_due(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        const char *why;
    } rows[] = {
        { "there never was one", { NULL }, "Created" },
        { "there is one, published or not", { kept }, NULL },
        { "there was one", { published, target_gone, secret_lost }, "Lost" },
        { "it is gone at Deepgram", { published, key_1_gone }, "Lost" },
        { "the one before it, which lives, is from another spec",
          { rotated, key_2_gone, first_from_another_spec },
          "SpecChanged" },
        { "the target still holds it", { published, secret_lost }, NULL },
        { "what it holds is of no use", { published, secret_lost, target_useless }, "Lost" },
        { "made from another spec", { published, spec_changed }, "SpecChanged" },
        { "only the newest counts", { rotated, first_from_another_spec }, NULL },
        { "a new token", { published, rotation_requested }, "RotationRequested" },
        { "another token than the last one",
          { published, another_token_answered },
          "RotationRequested" },
        { "a token that the revision answered", { published, token_answered_by_secret }, NULL },
        { "a token that is noted as handled", { published, token_handled }, NULL },
        { "a token that was taken off", { published, token_taken_off }, NULL },
        { "the spec comes before the token",
          { published, spec_changed, rotation_requested },
          "SpecChanged" },
        { "long before its end", { published, lasts_60_days }, NULL },
        { "in its last third", { published, lasts_60_days, in_mid_june }, "Expiring" },
        { "not without an end", { published, without_end, in_mid_june }, NULL },
        { "not for a fixed end: the next one would have it too",
          { published, with_a_fixed_end, in_mid_june },
          NULL },
        { "before the interval is over", { published, every_40_days }, NULL },
        { "after it", { published, every_20_days }, "RotationScheduled" },
        { "not while the roll-out before it is under way",
          { rolling, every_10_days, in_mid_june, rolls_out },
          NULL },
        { "nor before the older one is revoked", { rotated, every_10_days, in_mid_june }, NULL },
        { "the pods of the first one needn't be replaced",
          { published, every_20_days, rolls_out },
          "RotationScheduled" },
        { "pods that nobody replaces don't hold it up",
          { rolling, every_10_days, in_mid_june, rolls_out, of_others },
          "RotationScheduled" },
        { "nor do those of a paused workload",
          { rolling, every_10_days, in_mid_june, rolls_out, of_a_paused_one },
          "RotationScheduled" },
        { "a token holds for all",
          { rolling, every_10_days, in_mid_june, rolls_out, rotation_requested },
          "RotationRequested" },
        { "the end comes before the interval",
          { published, lasts_60_days, every_20_days, in_mid_june },
          "Expiring" },
        { "the token before both",
          { published, lasts_60_days, every_20_days, in_mid_june, rotation_requested },
          "RotationRequested" },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        fixture_expect(rows[i].name, schedule_due(&fixture->world), rows[i].why);
    }
}

/* ---- the next one ---- */

/* Days from the issue to the next rotation are in this range; 0: never. */
static void test_when_it_is_rotated_next(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        world_change_fn *with[FIXTURE_CHANGES_MAX];
        double first_day, last_day;
    } rows[] = {
        { "nothing there", { every_20_days }, 0, 0 },
        { "neither end nor interval", { published }, 0, 0 },
        { "a third before its end, spread over a tenth of that",
          { published, lasts_60_days },
          38,
          40 },
        { "as long before as the spec says",
          { published, lasts_60_days, ten_days_before },
          49,
          50 },
        { "what Deepgram granted counts", { published, lasts_60_days, granted_10_days }, 6.3, 6.7 },
        { "not before it began",
          { published, lasts_60_days, ten_days_before, granted_10_days },
          6.3,
          6.7 },
        { "an interval, spread over its last tenth", { published, every_20_days }, 18, 20 },
        { "the earlier of both: interval", { published, lasts_60_days, every_20_days }, 18, 20 },
        { "the earlier of both: end", { published, lasts_60_days, every_40_days }, 36, 40 },
        { "a clock that is so far ahead that it never lived",
          { published, ends_before_it_began },
          38,
          40 },
        { "or for no time at all", { published, ends_as_it_begins }, 38, 40 },
    };
    int64_t issued_ms = 0;
    assert_true(timestamp_parse(ISSUED_AT_1, &issued_ms));
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(rows[i].with);
        int64_t next_ms = schedule_next_rotation_ms(&fixture->world);
        double day = next_ms == 0 ? 0 : (double)(next_ms - issued_ms) / (double)DAY_MS;
        if (day < rows[i].first_day || day > rows[i].last_day)
            fail_msg("%s: on day %g", rows[i].name, day);
    }
}

static void test_it_is_due_at_that_moment(void **state)
{
    (void)state;
    static world_change_fn *const schedules[][FIXTURE_CHANGES_MAX] = {
        { published, lasts_60_days }, { published, every_20_days }
    };
    static const char *const reasons[] = { "Expiring", "RotationScheduled" };
    for (size_t i = 0; i < ARRAY_LENGTH(schedules); i++) {
        auto_world struct world_fixture *fixture = world_fixture_new(schedules[i]);
        struct world *world = &fixture->world;
        world->now_ms = schedule_next_rotation_ms(world);
        assert_string_equal(schedule_due(world), reasons[i]);
        world->now_ms--;
        assert_null(schedule_due(world));
    }
}

/* Resources that were applied together don't rotate together, and none moves about. */
static void test_rotations_are_spread(void **state)
{
    (void)state;
    enum { RESOURCES = 200, TENTHS = 10 };
    size_t in_tenth[TENTHS] = { 0 };
    for (unsigned i = 0; i < RESOURCES; i++) {
        auto_world struct world_fixture *fixture = WORLD(published, every_20_days);
        auto_free char *uid = mem_printf("0f0e0d0c-0b0a-0908-0706-%012x", i * 7919);
        fixture->resource->uid = uid;
        int64_t latest_ms = fixture->revisions[0].issued_at_ms + 20 * DAY_MS;
        int64_t early_ms = latest_ms - schedule_next_rotation_ms(&fixture->world);
        assert_in_range(early_ms, 0, 2 * DAY_MS - 1);
        assert_int_equal(latest_ms - early_ms, schedule_next_rotation_ms(&fixture->world));
        in_tenth[early_ms * TENTHS / (2 * DAY_MS)]++;
    }
    for (size_t i = 0; i < TENTHS; i++)
        assert_in_range(in_tenth[i], RESOURCES / TENTHS / 3, RESOURCES / TENTHS * 3);
}

static void test_a_fixed_end_passes(void **state)
{
    (void)state;
    auto_world struct world_fixture *fixture = WORLD(published, with_a_fixed_end);
    struct world *world = &fixture->world;
    assert_false(schedule_expiry_passed(world));
    world->now_ms = fixture->resource->spec.expires_at_ms - 1;
    assert_false(schedule_expiry_passed(world));
    world->now_ms++;
    assert_true(schedule_expiry_passed(world));
    auto_world struct world_fixture *endless = WORLD(published, lasts_60_days, in_mid_june);
    assert_false(schedule_expiry_passed(&endless->world));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_why_a_credential_is_due),
        cmocka_unit_test(test_when_it_is_rotated_next),
        cmocka_unit_test(test_it_is_due_at_that_moment),
        cmocka_unit_test(test_rotations_are_spread),
        cmocka_unit_test(test_a_fixed_end_passes),
    };
    return fixture_run(tests);
}
