"""Parts of the OpenAPI document that several routes share."""

from typing import Any

from pydantic import BaseModel

ETAG: dict[str, Any] = {
    "ETag": {
        "schema": {"type": "string"},
        "required": True,
        "description": "The version: send it in `If-Match` to change this one.",
    }
}
PLACED: dict[str, Any] = {
    "Location": {
        "schema": {"type": "string"},
        "required": True,
        "description": "Where the new thing is, relative to the server.",
    }
}


def merge_patch_of(kind: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra=` of a route that takes a merge patch.

    Args:
        kind: What the patched thing is when it is sent whole.
        example: A patch that works.

    """
    schema = kind.model_json_schema(mode="validation")
    patch = _partial(schema, schema.get("$defs", {}))
    # The same for tools that know JSON alone.
    content = {"schema": patch, "example": example}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/merge-patch+json": content,
                "application/json": content,
            },
        }
    }


def _partial(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with nothing required, and null for everything in an object.

    What stands in a list is replaced whole: there, what is required stays so.
    """
    schema = _resolved(schema, known)
    if "anyOf" in schema:
        return {"anyOf": [_partial(one, known) for one in schema["anyOf"]]}
    if schema.get("type") != "object":
        inlined: dict[str, Any] = _inlined(schema, known)
        return inlined
    partial = {k: v for k, v in schema.items() if k not in {"required", "$defs"}}
    partial.pop("minProperties", None)
    if "properties" in schema:
        partial["properties"] = {
            name: _or_null(_partial(field, known))
            for name, field in schema["properties"].items()
        }
    if isinstance(schema.get("additionalProperties"), dict):
        inner = _partial(schema["additionalProperties"], known)
        partial["additionalProperties"] = _or_null(inner)
    return partial


def _inlined(schema: Any, known: dict[str, Any]) -> Any:  # noqa: ANN401 -- any JSON
    """Return the schema with the definitions it refers to written in place."""
    if isinstance(schema, list):
        return [_inlined(one, known) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inlined = _resolved(schema, known)
    return {k: _inlined(v, known) for k, v in inlined.items() if k != "default"}


def _resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = known[schema["$ref"].rpartition("/")[2]]
    return found


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}
