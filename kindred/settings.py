"""Settings from the environment: every name is `KINDRED_` and the field's name in capitals."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


class Settings(BaseSettings):
    """What can be set once instead of on each call. An option given on a call wins.

    Examples
    --------
    >>> import os; _ = os.environ.pop("KINDRED_STORE", None)
    >>> Settings().store
    './kindred-data'
    """

    model_config = SettingsConfigDict(
        env_prefix="KINDRED_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    store: str = Field(default="./kindred-data", description="where the store is: a folder")
    host: str = Field(default="127.0.0.1", description="where `serve` listens; loopback only")
    port: int = Field(default=8765, ge=0, le=65535, description="on which port; 0 takes a free one")
