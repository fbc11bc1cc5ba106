"""What can be set from outside: environment variables that begin with COMPAAN_."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Settings(BaseSettings):
    """All settings, read once; every field may be left out."""

    model_config = SettingsConfigDict(
        env_prefix="COMPAAN_", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """The address to listen on; only this machine's own unless `allow_open` is set."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    allow_open: bool = False
    """Listen on other addresses too, where everybody may use the service."""
    database_url: str = "sqlite:///.data/compaan.db"
    """Where everything is stored: `sqlite:///…` or `postgresql://user@host/name`."""
    body_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in a body, other than an import."""
    import_bytes: Annotated[int, Field(ge=1)] = 10 * 2**20
    """Most bytes in an imported file."""
    run_seconds: Annotated[float, Field(gt=0)] = 900
    """Most time that the computation of a run may take."""
    wait_seconds: Annotated[float, Field(ge=0)] = 60
    """Longest that `?wait=` holds a call."""
    runs_at_once: Annotated[int, Field(ge=0)] = 1
    """Most runs that this process computes at the same time; 0: others do it."""
    answer_seconds: Annotated[float, Field(gt=0)] = 30
    """Most time for an answer about a run or a round that somebody waits for."""
    answers_at_once: Annotated[int, Field(ge=1)] = 2
    """Most of these answers that are computed at the same time."""
    log_format: Literal["console", "json"] = "console"
    match_cities: Annotated[int, Field(ge=1)] = 300
    """Most cities in one anonymous `POST /match`."""
    match_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in its body."""
    match_seconds: Annotated[float, Field(gt=0)] = 10
    """Most time that its computation may take, and that it may wait for its turn."""
    match_at_once: Annotated[int, Field(ge=1)] = 2
    """Most of these computations at the same time."""
    match_per_minute: Annotated[int, Field(ge=1)] = 20
    """Most of these requests a minute from one address."""

    @model_validator(mode="after")
    def _is_closed_unless_told(self) -> Self:
        if self.host not in LOOPBACK and not self.allow_open:
            message = (
                f"{self.host} can be reached from other machines: "
                "set COMPAAN_ALLOW_OPEN=1 if that is what you want"
            )
            raise ValueError(message)
        return self
