"""The OpenAPI document tells the truth: Schemathesis tries every operation."""

import schemathesis
from schemathesis.config import SchemathesisConfig

from app.main import create_app
from app.settings import Settings

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"deterministic": True, "max-examples": 30, "no-shrink": True},
        "checks": {
            # A body may fit the schema and yet name a city that it does not hold.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "422"]},
        },
    }
)
APP = create_app(Settings(match_per_minute=100_000))
api = schemathesis.openapi.from_asgi("/api/v1/openapi.json", APP, config=CONFIG)


@api.parametrize()
def test_every_operation_keeps_its_word(case):
    case.call_and_validate()
