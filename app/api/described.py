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
    schema = kind.model_json_schema(
        ref_template="#/components/schemas/{model}", mode="validation"
    )
    fields = {
        name: {"anyOf": [{k: v for k, v in said.items() if k != "default"}, _NULL]}
        for name, said in schema["properties"].items()
    }
    patch = {"type": "object", "properties": fields, "additionalProperties": False}
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


_NULL = {"type": "null"}
