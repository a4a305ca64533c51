"""Names at Kubernetes' limits, and comments with everything that text can hold."""

import pytest

from api_client import ApiError
from checks import balanced, secret_names
from polling import wait_for
from resources import ADMIN_SECRET, Tenant

KEY = "DeepgramApiKey"
PULL = "DeepgramPullSecret"
LONGEST = 253


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    found = Tenant(control_plane, shared_emulator, namespace)
    found.put_admin_secret()
    return found


def longest(filler, end):
    """253 characters made of `filler` over and over, and `end`."""
    return (filler * LONGEST)[: LONGEST - len(end)] + end


# Where a name is cut for the names made of it, any character may come to stand at the end.
FILLERS = ["n", "a-", "-a", "a.", "a.b-c"]


@pytest.mark.parametrize("kind", [KEY, PULL])
@pytest.mark.parametrize("filler", FILLERS)
def test_the_longest_names_work_and_stay_apart(tenant, kind, filler):
    first, second = ("x" + longest(filler, end)[1:] for end in ("z1", "z2"))
    assert len(first) == LONGEST
    for name in (first, second):
        tenant.create(kind, name)
    ids = {tenant.wait_ready(kind, name)["status"]["id"] for name in (first, second)}
    assert sorted(tenant.live()) == sorted(ids) and len(ids) == 2
    names = [name for name in secret_names(tenant) if name != ADMIN_SECRET]
    assert len(names) == 4 and {first, second} <= set(names)
    assert tenant.data(first) != tenant.data(second)
    wait_for(lambda: {first, second} <= {event["regarding"]["name"]
                                         for event in tenant.all_events()},
             5, "each has an event")
    assert balanced(tenant)


def test_the_longest_target_and_admin_secret_names_work(tenant):
    target, admin = longest("t", "z"), longest("s", "z")
    tenant.put_admin_secret(name=admin)
    tenant.api_key(secret={"name": target}, credentialsRef={"name": admin})
    ready = tenant.wait_ready(KEY, "api-key")
    assert ready["status"]["secretName"] == target
    assert tenant.data(target)["DEEPGRAM_API_KEY"]
    assert balanced(tenant)


COMMENTS = {
    "quotes": """a "double", a 'single', a `back` and a \\ backslash""",
    "lines": "first\nsecond\r\n\tthird",
    "emoji": "\N{PARROT} schlüssel 鍵 \N{FAMILY}" + "\N{ZERO WIDTH JOINER}\N{WOMAN}",
    "json": '{"api_key_id": "x"}, null]',
    "a marker": "x [deepgram-operator uid=0 rev=1 nonce=0]",
    "the longest": "\N{PARROT}" * 256,
    "a control character": "bell \a and delete \x7f",
}


@pytest.mark.parametrize("kind", [KEY, PULL])
@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS.keys())
def test_a_comment_arrives_unchanged_with_our_marker(tenant, kind, comment):
    tenant.create(kind, "api-key", comment=comment)
    ready = tenant.wait_ready(kind, "api-key")
    arrived = tenant.credential(ready["status"]["id"])["comment"]
    assert arrived.startswith(f"{comment} [deepgram-operator uid={ready['metadata']['uid']} rev=1 ")
    assert balanced(tenant)


@pytest.mark.parametrize("kind", [KEY, PULL])
def test_a_comment_over_the_limit_is_refused_at_admission(tenant, kind):
    with pytest.raises(ApiError) as refused:
        tenant.create(kind, "api-key", comment="\N{PARROT}" * 257)
    assert refused.value.status == 422
    assert "spec.comment" in refused.value.body["message"]
    assert "256" in refused.value.body["message"]
    assert tenant.creates() == []
