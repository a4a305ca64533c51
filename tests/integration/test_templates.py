"""spec.secret.data: what the entries of the target Secret are made of."""

import pytest

from api_client import ApiError
from checks import balanced, no_secret_written
from polling import wait_for
from resources import Tenant, toml_license_key

KEY = "DeepgramApiKey"
API_TOML = """\
[license]
key = "${apiKey}"
server_url = "http://license-proxy:8443"

[[model_manager.search_paths]]
path = "/models/$${MODEL}"
"""


@pytest.fixture
def tenant(control_plane, shared_emulator, shared_operator, namespace):
    found = Tenant(control_plane, shared_emulator, namespace)
    found.put_admin_secret()
    return found


def published(tenant):
    """(id, key, entries) of the resource's target."""
    ready = tenant.wait_ready(KEY, "api-key")
    credential = tenant.credential(ready["status"]["id"])
    return credential["api_key_id"], credential["key"], tenant.data("api-key")


def test_a_configuration_file_is_rendered_that_its_reader_understands(tenant):
    tenant.api_key(secret={"data": {"api.toml": API_TOML}})
    _, key, data = published(tenant)
    assert list(data) == ["api.toml"]
    assert toml_license_key(data["api.toml"]) == key
    assert 'path = "/models/${MODEL}"' in data["api.toml"]
    assert balanced(tenant)


@pytest.mark.parametrize("template, expected", [
    ("${apiKey}", "{key}"),
    ("${projectId}/${keyId}", "{project}/{id}"),
    ("$${apiKey}", "${{apiKey}}"),
    ("$$${apiKey}", "$${{apiKey}}"),
    ("$${${apiKey}}", "${{{key}}}"),
    ("$ $$ $x {apiKey} é\N{PARROT}\n", "$ $$ $x {{apiKey}} é\N{PARROT}\n"),
    ("", ""),
])
def test_placeholders_and_literals(tenant, template, expected):
    tenant.api_key(secret={"data": {"entry": template}})
    id, key, data = published(tenant)
    assert data == {"entry": expected.format(key=key, id=id, project=tenant.project_id)}


def test_another_template_is_rendered_with_the_same_key(tenant):
    tenant.api_key(secret={"data": {"license-key": "${apiKey}"}})
    _, key, data = published(tenant)
    assert data == {"license-key": key}
    tenant.patch(KEY, "api-key", {"spec": {"secret": {
        "data": {"license-key": None, "LICENSE": "key=${apiKey}"}}}})
    wait_for(lambda: tenant.data("api-key") == {"LICENSE": f"key={key}"}, 3,
             "the target is of the new template")
    tenant.wait_ready(KEY, "api-key")
    assert len(tenant.creates()) == 1
    assert balanced(tenant)


@pytest.mark.parametrize("template", ["${secret}", "${apikey}", "${apiKey", "${key${apiKey}Id}"])
def test_an_unknown_placeholder_is_refused_at_admission(tenant, template):
    with pytest.raises(ApiError) as refused:
        tenant.api_key(secret={"data": {"entry": template}})
    assert refused.value.status == 422
    message = refused.value.body["message"]
    assert "spec.secret.data[entry]" in message and "write $${ for a literal ${" in message
    assert tenant.creates() == []
    no_secret_written(tenant)
