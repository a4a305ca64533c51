"""Checks requests and answers against Deepgram's own OpenAPI document.

The document requires almost nothing of an answer and says of the body that creates a key only
that it may be anything, so both get a list of our own on top.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import jsonschema
import referencing
import yaml
from referencing.jsonschema import DRAFT202012

DOCUMENT_URI = "urn:deepgram-openapi"

KEYS = "/v1/projects/{project_id}/keys"
KEY = KEYS + "/{key_id}"
CREDENTIALS = "/v1/projects/{project_id}/self-hosted/distribution/credentials"
ONE_CREDENTIALS = CREDENTIALS + "/{distribution_credentials_id}"

STRINGS = {"type": "array", "items": {"type": "string"}}
OWN_REQUEST_BODIES = {
    ("POST", KEYS): {
        "type": "object",
        "required": ["comment", "scopes"],
        "properties": {
            "comment": {"type": "string", "minLength": 1},
            "scopes": {**STRINGS, "minItems": 1, "uniqueItems": True},
            "tags": STRINGS,
            "expiration_date": {"type": "string", "format": "date-time"},
            "time_to_live_in_seconds": {"type": "integer", "minimum": 1},
        },
        "additionalProperties": False,
        "not": {"required": ["expiration_date", "time_to_live_in_seconds"]},
    },
    ("POST", CREDENTIALS): {
        "type": "object",
        # Scopes and provider stand in the query; older documentation has them in the body, and
        # sending both serves either.
        "properties": {
            "comment": {"type": "string"},
            "scopes": {**STRINGS, "minItems": 1, "uniqueItems": True},
            "provider": {"const": "quay"},
        },
        "additionalProperties": False,
    },
}


def object_of_strings(*names):
    strings = {name: {"type": "string"} for name in names}
    return {"type": "object", "required": names, "properties": strings}


OWN_ERROR = {"anyOf": [
    {"type": "string"},
    object_of_strings("err_code", "err_msg", "request_id"),
    object_of_strings("category", "message", "details", "request_id"),
]}


def fields(prefix, names):
    return [f"{prefix}{name}" for name in names.split()]


def described(prefix):
    return fields(prefix, "member.member_id member.email") + fields(
        f"{prefix}distribution_credentials.",
        "distribution_credentials_id provider comment scopes created")


# Of a key with tags and an expiry, of credentials with a comment. `[]` goes into a list.
REQUIRED_IN_ANSWERS = {
    ("GET", "/v1/projects"): fields("projects[].", "project_id name"),
    ("POST", KEYS): fields("", "api_key_id key comment scopes tags created expiration_date"),
    ("GET", KEYS): fields("api_keys[].member.", "member_id email") + fields(
        "api_keys[].api_key.", "api_key_id comment scopes tags created expiration_date"),
    ("GET", KEY): fields("item.member.", "member_id email first_name last_name") + fields(
        "item.member.api_key.", "api_key_id comment scopes tags created expiration_date"),
    ("DELETE", KEY): ["message"],
    ("POST", CREDENTIALS): [*described(""), "username", "secret"],
    ("GET", CREDENTIALS): described("distribution_credentials[]."),
    ("GET", ONE_CREDENTIALS): described(""),
    ("DELETE", ONE_CREDENTIALS): described(""),
}


class Mismatch(Exception):
    """A request or an answer is not as documented."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    description: dict

    @property
    def name(self):
        return self.method, self.path


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self._document = prepare(yaml.safe_load(file))
        resource = referencing.Resource(self._document, DRAFT202012)
        self._registry = referencing.Registry().with_resource(DOCUMENT_URI, resource)

    def operation(self, method, path):
        for template, methods in self._document["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if method.lower() in methods and re.fullmatch(pattern, path):
                return Operation(method, template, methods[method.lower()])
        raise Mismatch(f"{method} {path} is not in the document")

    def check_request(self, method, path, query="", body=None, content_type=None):
        """`query` percent-encoded or not, `body` as parsed, None for none."""
        operation = self.operation(method, path)
        self._check_query(operation, parse_qs(query, keep_blank_values=True))
        declared = operation.description.get("requestBody")
        if body is None:
            own = OWN_REQUEST_BODIES.get(operation.name, {})
            demand(not own.get("required"), f"{operation.name} without a body")
            return
        demand(declared is not None, f"{operation.name} with a body")
        media_type = (content_type or "").partition(";")[0]
        demand(media_type in declared["content"], f"{operation.name} as {content_type}")
        self._check(body, declared["content"][media_type]["schema"])
        self._check(body, OWN_REQUEST_BODIES.get(operation.name, {}))

    def check_journal_entry(self, entry):
        """The same for an entry of the emulator's GET /admin/requests."""
        self.check_request(entry["method"], entry["path"], entry["query"], entry["body"],
                           entry["headers"]["content-type"])

    def check_answer(self, method, path, status, content):
        """`content` is the JSON of the answer, or the text of an error that is no JSON."""
        operation = self.operation(method, path)
        responses = operation.description["responses"]
        # Of the errors the document knows 400 alone, with all the shapes an error can have.
        response = responses["200" if status == 200 else "400"]
        self._check(content, response["content"]["application/json"]["schema"])
        if status != 200:
            self._check(content, OWN_ERROR)
            return
        for required in REQUIRED_IN_ANSWERS[operation.name]:
            demand_field(content, required)

    def _check_query(self, operation, query):
        parameters = {
            parameter["name"]: parameter
            for parameter in operation.description.get("parameters", [])
            if parameter["in"] == "query"
        }
        for name, values in query.items():
            demand(name in parameters, f"{operation.name}: unknown query parameter {name}")
            schema = parameters[name]["schema"]
            if schema.get("type") != "array":
                demand(len(values) == 1, f"{operation.name}: {name} is repeated")
                values = values[0]
            self._check(values, schema)
        for name, parameter in parameters.items():
            demand(name in query or not parameter["required"], f"{operation.name}: no {name}")

    def _check(self, value, schema):
        validator = jsonschema.Draft202012Validator(
            schema, registry=self._registry, format_checker=jsonschema.FormatChecker())
        problems = sorted(validator.iter_errors(value), key=str)
        demand(not problems, "; ".join(f"{p.json_path}: {p.message}" for p in problems))


def prepare(node):
    """Makes references absolute, and reads `oneOf` as `anyOf`: the document's alternatives overlap,
    so that hardly a value fits exactly one of them.
    """
    if isinstance(node, list):
        return [prepare(item) for item in node]
    if not isinstance(node, dict):
        return node
    prepared = {name: prepare(value) for name, value in node.items()}
    if "oneOf" in prepared:
        prepared["anyOf"] = prepared.pop("oneOf")
    if "$ref" in prepared:
        prepared["$ref"] = DOCUMENT_URI + prepared["$ref"]
    return prepared


def demand(condition, message):
    if not condition:
        raise Mismatch(message)


def demand_field(content, path):
    """Every object that `path` leads to has the field, and it isn't empty."""
    first, _, rest = path.partition(".")
    demand(isinstance(content, dict), f"{path}: no object to look into")
    value = content.get(first.removesuffix("[]"))
    demand(value not in (None, "", []), f"{path} is missing or empty")
    if not rest:
        return
    for item in value if first.endswith("[]") else [value]:
        demand_field(item, rest)
