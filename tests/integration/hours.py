"""Times as Kubernetes writes them, and hours that go by in no time."""

import datetime
from concurrent.futures import ThreadPoolExecutor

ISSUED_AT = "deepgram.com/issued-at"


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def in_seconds(seconds):
    return rfc3339(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))


def shifted(text, hours):
    return rfc3339(datetime.datetime.fromisoformat(text) - datetime.timedelta(hours=hours))


def issued_earlier(tenant, hours):
    """Moves what stands in the cluster about the times of issue into the past: the same as hours
    going by while nobody looks."""
    def earlier(secret):
        metadata = secret["metadata"]
        moved = {ISSUED_AT: shifted(metadata["annotations"][ISSUED_AT], hours)}
        tenant.client.patch(tenant.secret_path(metadata["name"]), {"metadata": {"annotations": moved}})

    kept = [one for one in tenant.secrets() if one["type"] == "deepgram.com/credential"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(earlier, kept))
