"""Settings from the environment: every name is `KINDRED_` and the field's name in capitals."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import UsageError
from engine.server import Server

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

    store: str = Field(
        default="./kindred-data",
        description="where the store is: a folder, or a server such as neo4j://localhost:7687",
    )
    database: str | None = Field(
        default=None, description="which database of a server; by default its home database"
    )
    host: str = Field(default="127.0.0.1", description="where `serve` listens; loopback only")
    port: int = Field(default=8765, ge=0, le=65535, description="on which port; 0 takes a free one")
    contained: bool = Field(
        default=False,
        description="`serve` runs in a container whose port is published on its host's loopback "
        "only: it may then listen on every address of the container",
    )
    neo4j_user: str | None = Field(
        default=None, description="who asks a Neo4j server; with a password and no name, neo4j"
    )
    neo4j_password: SecretStr | None = Field(default=None, description="the password")
    neo4j_password_file: Path | None = Field(
        default=None, description="a file that holds the password and nothing else"
    )
    neo4j_ca: Path | None = Field(
        default=None,
        description="a file of certificates (PEM) to trust where the server has its own",
    )
    neo4j_transactions: int = Field(
        default=4, ge=1, le=64, description="most transactions open at once on a server"
    )
    neo4j_timeout: float = Field(
        default=600.0, gt=0, description="seconds that one transaction may take"
    )
    neo4j_patience: float = Field(
        default=30.0, gt=0, description="seconds to wait for a server, and to try again"
    )

    def server(self, database: str | None = None) -> Server:
        """Return how a server is asked.

        Raises
        ------
        UsageError
            If the password's file cannot be read.
        """
        password = self._password()
        return Server(
            database=database or self.database,
            user=self.neo4j_user or ("neo4j" if password is not None else None),
            password=password,
            transactions=self.neo4j_transactions,
            timeout=self.neo4j_timeout,
            patience=self.neo4j_patience,
            authorities=None if self.neo4j_ca is None else str(self.neo4j_ca),
        )

    def _password(self) -> str | None:
        if self.neo4j_password is not None:
            return self.neo4j_password.get_secret_value()
        if self.neo4j_password_file is None:
            return None
        try:
            return self.neo4j_password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as fault:
            raise UsageError(
                "the password of a server",
                f"{self.neo4j_password_file} cannot be read: {fault.__class__.__name__}",
                "correct KINDRED_NEO4J_PASSWORD_FILE",
            ) from fault
