"""Trouble with the admin Secret and with Deepgram.

Each case is told in plain words, mints and writes nothing beyond what it needs, and heals by itself
once it is mended, with one live credential in the end.
"""

import datetime
import email.utils
import time

import pytest

from checks import balanced, no_secret_written, no_trouble, settled, trouble
from emulator import Emulator
from polling import wait_for
from resources import ADMIN_SECRET, Tenant

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
NAME_OF = {KEY: "api-key", PULL: "regcred"}
CREATE = {KEY: "create_key", PULL: "create_credentials"}

# What a person does about it takes effect at once, whatever the back-off has come to.
AT_ONCE_S = 4  # less than the shortest wait after a refusal


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    """A namespace and a project of its own; there is no admin Secret yet."""
    yield Tenant(control_plane, shared_emulator, namespace)
    shared_emulator.clear_faults()


def mended(tenant, kind=KEY, creates=1, timeout=AT_ONCE_S):
    """Ready with the only live credential of the project, after so many creates in all."""
    ready = tenant.wait_ready(kind, NAME_OF[kind], timeout)
    no_trouble(ready)
    assert tenant.live() == [ready["status"]["id"]]
    assert len(tenant.creates()) == creates
    assert NAME_OF[kind] in [secret["metadata"]["name"] for secret in tenant.secrets()]
    assert balanced(tenant)
    return ready


def fail_creates(tenant, kind, fault, **more):
    """Every create fails that way until the faults are cleared."""
    tenant.emulator.add_fault(CREATE[kind], fault, count=-1, project_id=tenant.project_id, **more)


def mended_by_deepgram(tenant, kind, fault):
    """Deepgram works again: one create more than those that failed, and not many of those."""
    tenant.emulator.clear_faults()
    tenant.wait_ready(kind, NAME_OF[kind])
    faults = [request["fault"] for request in tenant.creates()]
    assert faults == [fault] * (len(faults) - 1) + [None] and len(faults) <= 5
    return mended(tenant, kind, creates=len(faults))


def touch_admin_secret(tenant):
    tenant.client.patch(tenant.secret_path(ADMIN_SECRET),
                        {"metadata": {"annotations": {"touched": str(time.time())}}})


# ---- the admin Secret ----

UNUSABLE = [
    ("it is missing", None, "CredentialsNotFound",
     ["/deepgram-admin doesn't exist", "create it with an entry DEEPGRAM_API_KEY", "keys:write"]),
    ("the entry is missing", {"entry": "TOKEN"}, "CredentialsInvalid",
     ["/deepgram-admin has no entry DEEPGRAM_API_KEY", "add it", "spec.credentialsRef.key"]),
    ("the entry is empty", {"value": ""}, "CredentialsInvalid",
     ["Entry DEEPGRAM_API_KEY of Secret", "/deepgram-admin is empty", "put a Deepgram API key"]),
    ("the entry is white space", {"value": " \n"}, "CredentialsInvalid", ["is empty"]),
    ("the key is in quotes", {"value": '"0123456789abcdef"'}, "CredentialsInvalid",
     ["is not a Deepgram API key", "without quotes"]),
]


@pytest.mark.parametrize("kind", [KEY, PULL])
@pytest.mark.parametrize("secret, reason, words", [
    pytest.param(*row, id=name) for name, *row in UNUSABLE
])
def test_an_admin_secret_without_a_key_stops_before_deepgram(tenant, kind, secret, reason, words):
    if secret is not None:
        tenant.put_admin_secret(**secret)
    tenant.create(kind, NAME_OF[kind])
    trouble(tenant, kind, NAME_OF[kind], reason, tenant.namespace, *words)
    assert tenant.emulator.requests(project_id=tenant.project_id) == []
    if secret is None:
        assert tenant.secrets() == []
    else:
        no_secret_written(tenant)
    tenant.put_admin_secret()
    mended(tenant, kind)


def test_white_space_around_the_admin_key_does_not_matter(tenant):
    tenant.put_admin_secret(f" {tenant.admin_key}\r\n")
    tenant.api_key()
    mended(tenant)


def test_an_admin_secret_that_is_being_deleted_issues_nothing_more(tenant):
    tenant.put_admin_secret()
    tenant.api_key()
    tenant.wait_ready(KEY, "api-key")
    tenant.client.delete(tenant.secret_path(ADMIN_SECRET))  # waits: it is needed for revoking
    tenant.patch(KEY, "api-key", {"spec": {"tags": ["new"]}})
    found = tenant.wait_condition(KEY, "api-key", "Stalled", "True", "CredentialsDeleted")
    for words in (f"{tenant.namespace}/deepgram-admin", "is being deleted",
                  "point spec.credentialsRef at another one"):
        assert words in found["message"]
    tenant.put_admin_secret(name="another")
    tenant.patch(KEY, "api-key", {"spec": {"credentialsRef": {"name": "another"}}})
    tenant.wait_condition(KEY, "api-key", "Ready", "True")
    wait_for(lambda: len(tenant.creates()) == 2, 10, "the changed key is issued")
    wait_for(lambda: tenant.secret(ADMIN_SECRET) is None, 5, "the old admin Secret is gone")


def test_an_admin_secret_that_never_worked_can_be_deleted_and_made_again(tenant):
    tenant.put_admin_secret("x" * 40)
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "Unauthorized")
    tenant.client.delete(tenant.secret_path(ADMIN_SECRET))
    wait_for(lambda: tenant.secret(ADMIN_SECRET) is None, 40, "nothing needs it for revoking")
    tenant.put_admin_secret()
    mended(tenant, creates=2)


# ---- refused by Deepgram ----


@pytest.mark.parametrize("kind", [KEY, PULL])
def test_a_wrong_admin_key_is_told_and_its_replacement_used_at_once(tenant, kind):
    tenant.put_admin_secret("x" * 40)
    tenant.create(kind, NAME_OF[kind])
    message = trouble(tenant, kind, NAME_OF[kind], "Unauthorized", "401 INVALID_AUTH",
                      f"Secret {tenant.namespace}/deepgram-admin", "wrong, expired or revoked",
                      "put a valid key with keys:write into")
    assert "x" * 40 not in message
    no_secret_written(tenant)
    assert len(tenant.creates()) == 1
    tenant.put_admin_secret()
    mended(tenant, kind, creates=2)


@pytest.mark.parametrize("own_role, role", [("member", "member"), ("admin", "owner")])
def test_an_admin_key_without_the_rights_is_told(tenant, own_role, role):
    weak = tenant.emulator.add_project(tenant.project_id, [{"role": own_role}])["admin_keys"][0]
    tenant.put_admin_secret(weak["key"])
    tenant.api_key(role=role)
    trouble(tenant, KEY, "api-key", "Forbidden", "403 INSUFFICIENT_PERMISSIONS",
            f"Secret {tenant.namespace}/deepgram-admin", "keys:write", "role")
    no_secret_written(tenant)
    assert len(tenant.creates()) == 1
    tenant.put_admin_secret()
    mended(tenant, creates=2)


def test_an_unknown_project_is_told(tenant):
    tenant.put_admin_secret()
    tenant.project_id = "3a8f6c1e-5b0d-4f7a-9c42-d1e06b7f2a95"
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "ProjectNotFound", "404 PROJECT_NOT_FOUND",
            "spec.projectId", "admin key belongs to that project")
    no_secret_written(tenant)
    assert len(tenant.creates()) == 1
    found = tenant.emulator.add_project(tenant.project_id)
    tenant.put_admin_secret(found["admin_keys"][0]["key"])
    mended(tenant, creates=2)


def test_a_bare_text_is_quoted_and_an_edited_admin_secret_ends_the_wait(tenant):
    text = "UUID parsing failed: invalid length"
    tenant.emulator.add_fault("create_key", "status", status=404, body=text,
                              content_type="text/plain", project_id=tenant.project_id)
    tenant.put_admin_secret()
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "ProjectNotFound", f"404: {text}", "spec.projectId")
    no_secret_written(tenant)
    touch_admin_secret(tenant)
    mended(tenant, creates=2)


def change_comment(tenant):
    tenant.patch(KEY, "api-key", {"spec": {"comment": "another"}})


def ask_for_rotation(tenant):
    tenant.patch(KEY, "api-key", {"metadata": {"annotations": {"deepgram.com/rotate": "now"}}})


@pytest.mark.parametrize("mend", [change_comment, ask_for_rotation, touch_admin_secret])
def test_a_bad_request_is_not_repeated_until_something_changes(tenant, mend):
    fault = {"status": 400, "count": -1, "project_id": tenant.project_id,
             "body": {"category": "Bad Request", "message": "Scope not licensed", "details": ""}}
    tenant.emulator.add_fault("create_key", "status", **fault)
    tenant.put_admin_secret()
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "InvalidRequest", "400 Bad Request", "Scope not licensed",
            "change the spec")
    tenant.patch(KEY, "api-key", {"metadata": {"labels": {"no": "reason"}}})
    time.sleep(3)  # a fast retry would come after one to two seconds
    assert len(tenant.creates()) == 1
    assert "nextAttemptAt" not in tenant.find(KEY, "api-key")["status"]
    no_secret_written(tenant)
    tenant.emulator.clear_faults()
    mend(tenant)
    mended(tenant, creates=2)


def in_seconds():
    return "4"


def as_a_date():
    return email.utils.format_datetime(
        datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5), usegmt=True)


@pytest.mark.parametrize("retry_after", [in_seconds, as_a_date])
def test_a_throttled_project_waits_as_long_as_it_was_told(tenant, retry_after):
    tenant.emulator.add_fault("create_key", "status", status=429, project_id=tenant.project_id,
                              headers={"Retry-After": retry_after()})
    tenant.put_admin_secret()
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "Throttled", "429 TOO_MANY_REQUESTS", "tried again in",
            state="Reconciling")
    assert tenant.find(KEY, "api-key")["status"]["nextAttemptAt"]
    tenant.pull_secret()  # the project as a whole was asked for a pause
    trouble(tenant, PULL, "regcred", "Throttled", tenant.project_id, "429", "pause",
            state="Reconciling")
    no_secret_written(tenant)
    for kind in (KEY, PULL):
        no_trouble(tenant.wait_ready(kind, NAME_OF[kind]))
    first, *later = sorted(request["time_ms"] for request in tenant.creates())
    waited_s = [(time_ms - first) / 1000 for time_ms in later]
    assert len(waited_s) == 2 and all(3 <= waited < 8 for waited in waited_s), waited_s
    assert balanced(tenant)


def test_a_redirect_is_never_followed(tenant):
    with Emulator.start() as elsewhere:
        location = f"{elsewhere.url}/v1/projects/{tenant.project_id}/keys"
        fail_creates(tenant, KEY, "redirect", location=location)
        tenant.put_admin_secret()
        tenant.api_key()
        trouble(tenant, KEY, "api-key", "MalformedAnswer", "redirect (307)", "never followed",
                "--deepgram-url", state="Reconciling")
        no_secret_written(tenant)
        mended_by_deepgram(tenant, KEY, "redirect")
        assert elsewhere.requests() == []


# ---- a create without a certain outcome ----

UNCERTAIN = [
    ("an error inside Deepgram", KEY, "status", "500 INJECTED_FAULT"),
    ("a reset connection", KEY, "reset", "No complete answer"),
    ("an answer lost", KEY, "lost", "No complete answer"),
    ("pull credentials lost", PULL, "lost", "No complete answer"),
    ("an answer cut", KEY, "cut", "No complete answer"),
    ("no key in it", KEY, "no_secret", "holds no secret"),
    ("no password in it", PULL, "no_secret", "holds no secret"),
    ("a web page", KEY, "html", "isn't JSON"),
    ("garbage", KEY, "garbage", "isn't JSON"),
]


@pytest.mark.parametrize("kind, fault, words", [
    pytest.param(*row, id=name) for name, *row in UNCERTAIN
])
def test_an_uncertain_create_leaves_one_live_credential(tenant, kind, fault, words):
    fail_creates(tenant, kind, fault)
    tenant.put_admin_secret()
    tenant.create(kind, NAME_OF[kind])
    trouble(tenant, kind, NAME_OF[kind], "UnknownOutcome", words, "looked for before another",
            state="Reconciling")
    no_secret_written(tenant)
    mended_by_deepgram(tenant, kind, fault)
    assert settled(tenant)
    assert len(tenant.live()) == 1


def test_a_huge_answer_is_not_taken_in(tenant, shared_operator):
    before_kib = shared_operator.peak_kib()
    fail_creates(tenant, KEY, "big")
    tenant.put_admin_secret()
    tenant.api_key()
    trouble(tenant, KEY, "api-key", "UnknownOutcome", "too large", state="Reconciling")
    mended_by_deepgram(tenant, KEY, "big")
    assert shared_operator.peak_kib() - before_kib < 16 * 1024  # of 50 MB
    assert settled(tenant)


def test_a_create_carried_out_late_is_found_and_revoked(tenant):
    tenant.emulator.add_fault("create_key", "late", delay_ms=1000, project_id=tenant.project_id)
    tenant.put_admin_secret()
    tenant.api_key()
    ready = tenant.wait_ready(KEY, "api-key")
    wait_for(lambda: len(tenant.live()) == 2, 5, "the late create was carried out",
             interval=0.02)
    assert settled(tenant)
    assert tenant.live() == [ready["status"]["id"]]
    assert len(tenant.creates()) == 2


def test_a_silent_deepgram_is_given_up_on_after_half_a_minute(tenant):
    tenant.emulator.add_fault("create_key", "silence", project_id=tenant.project_id)
    tenant.put_admin_secret()
    tenant.api_key()
    mended(tenant, creates=2, timeout=40)
    first, second = (request["time_ms"] for request in tenant.creates())
    assert 29 <= (second - first) / 1000 < 35
    assert settled(tenant)


# ---- events ----


def events(tenant, name):
    return [(item["type"], item["reason"], item["note"]) for item in tenant.all_events()
            if item["regarding"].get("name") == name]


def test_a_trouble_and_an_issue_are_events_that_kubectl_describe_shows(tenant, control_plane):
    tenant.api_key()
    message = trouble(tenant, KEY, "api-key", "CredentialsNotFound")
    wait_for(lambda: events(tenant, "api-key"), 5, "an event")
    assert events(tenant, "api-key") == [("Warning", "CredentialsNotFound", message)]
    text = control_plane.kubectl("describe", "dgkey", "api-key", "-n", tenant.namespace).stdout
    print(text)
    spec, shown_events = text.split("Events:")
    assert message in " ".join(spec.split()) and message in shown_events
    tenant.put_admin_secret()
    ready = mended(tenant)

    def issued():
        return [note for event in events(tenant, "api-key") if event[:2] == ("Normal", "Issued")
                for note in [event[2]]]

    wait_for(issued, 5, "an event about the issue")
    assert len(issued()) == 1
    assert ready["status"]["id"] in issued()[0] and "Secret api-key" in issued()[0]
    assert tenant.data("api-key")["DEEPGRAM_API_KEY"] not in text + issued()[0]
