"""JSON schemas for kubeconform, made of what the API server itself publishes, our types included."""

import json

# What the OpenAPI document calls strings may be written as numbers too.
NUMBER_OR_STRING = {"oneOf": [{"type": "string"}, {"type": "number"}]}
LOOSE = ("io.k8s.apimachinery.pkg.util.intstr.IntOrString",
         "io.k8s.apimachinery.pkg.api.resource.Quantity")


def write_schemas(client, directory):
    """One file for each kind, named <kind>-<group>-<version>.json. Unknown fields are errors."""
    definitions = client.get("/openapi/v2")["definitions"]
    for name, definition in definitions.items():
        refuse_unknown(definition)
        if name in LOOSE:
            definitions[name] = NUMBER_OR_STRING
    (directory / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", []):
            group = kind["group"].split(".")[0]
            parts = (kind["kind"], *([group] if group else []), kind["version"])
            schema = {"$ref": f"definitions.json#/definitions/{name}"}
            (directory / f"{'-'.join(parts).lower()}.json").write_text(json.dumps(schema))


def refuse_unknown(node):
    if isinstance(node, list):
        for entry in node:
            refuse_unknown(entry)
    elif isinstance(node, dict):
        for entry in node.values():
            refuse_unknown(entry)
        if isinstance(node.get("properties"), dict) and "$ref" not in node["properties"]:
            node.setdefault("additionalProperties", False)
