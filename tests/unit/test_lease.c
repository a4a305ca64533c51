#include "test.h"

#include "base/mem.h"
#include "reconcile/lease.h"

/* A lease of 15 s, to be renewed within 10 s; seen and renewed at the time 0. */
static const struct lease_policy policy = {
    .identity = "me",
    .duration_ms = 15000,
    .renew_deadline_ms = 10000,
};

static const struct lease_view absent = { .holder = "" };
static const struct lease_view given_up = { .exists = true, .holder = "", .duration_ms = 1000 };
static const struct lease_view mine = { .exists = true, .holder = "me", .duration_ms = 15000 };
static const struct lease_view theirs = { .exists = true, .holder = "you", .duration_ms = 15000 };
static const struct lease_view theirs_long = { .exists = true,
                                               .holder = "you",
                                               .duration_ms = 60000 };
static const struct lease_view theirs_endless = { .exists = true, .holder = "you" };

static const struct row {
    const char *name;
    const struct lease_view *view;
    bool leading;
    int64_t now_ms;
    enum lease_action action;
} rows[] = {
    { "nobody has ever held it", &absent, false, 0, LEASE_ACQUIRE },
    { "given up: no need to wait", &given_up, false, 0, LEASE_ACQUIRE },
    { "held and just renewed", &theirs, false, 0, LEASE_WAIT },
    { "held and nearly run out", &theirs, false, 14999, LEASE_WAIT },
    { "held and run out", &theirs, false, 15000, LEASE_ACQUIRE },
    { "its holder's duration counts, not ours", &theirs_long, false, 59999, LEASE_WAIT },
    { "its holder's duration has passed", &theirs_long, false, 60000, LEASE_ACQUIRE },
    { "a holder that tells no duration gets ours", &theirs_endless, false, 14999, LEASE_WAIT },
    { "ours has passed for that one", &theirs_endless, false, 15000, LEASE_ACQUIRE },
    { "ours although no answer said so", &mine, false, 0, LEASE_ACQUIRE },

    { "leading: renew", &mine, true, 0, LEASE_RENEW },
    { "leading: last moment to renew", &mine, true, 9999, LEASE_RENEW },
    { "leading: not renewed in time", &mine, true, 10000, LEASE_LOST },
    { "leading: somebody else has taken it", &theirs, true, 0, LEASE_LOST },
    { "leading: somebody emptied it", &given_up, true, 0, LEASE_LOST },
    { "leading: somebody deleted it", &absent, true, 0, LEASE_ACQUIRE },
    { "leading: deleted, and too late", &absent, true, 10000, LEASE_LOST },
};

static void test_decisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct row *row = &rows[i];
        enum lease_action action = lease_decide(row->view, &policy, row->leading, 0, row->now_ms);
        if (action != row->action)
            fail_msg("%s: %d instead of %d", row->name, (int)action, (int)row->action);
    }
}

static void test_a_renewal_starts_the_waiting_anew(void **state)
{
    (void)state;
    struct lease_view renewed = theirs;
    renewed.seen_since_ms = 10000;
    assert_int_equal(lease_decide(&renewed, &policy, false, 0, 24999), LEASE_WAIT);
    assert_int_equal(lease_decide(&renewed, &policy, false, 0, 25000), LEASE_ACQUIRE);
    assert_int_equal(lease_decide(&mine, &policy, true, 10000, 19999), LEASE_RENEW);
    assert_int_equal(lease_decide(&mine, &policy, true, 10000, 20000), LEASE_LOST);
}

static void test_when_it_runs_out(void **state)
{
    (void)state;
    struct lease_view renewed = theirs_long;
    renewed.seen_since_ms = 10000;
    assert_int_equal(lease_runs_out_ms(&renewed, &policy), 70000);
    assert_int_equal(lease_runs_out_ms(&theirs_endless, &policy), 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_a_renewal_starts_the_waiting_anew),
        cmocka_unit_test(test_when_it_runs_out),
    };
    return test_run(tests);
}
