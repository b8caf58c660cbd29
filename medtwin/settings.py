"""What the person who runs medtwin may set, each by an environment variable MEDTWIN_<NAME>."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the store lives and where the pages are served; `docs/cli.md` lists the variables."""

    model_config = SettingsConfigDict(env_prefix="MEDTWIN_", frozen=True)

    home: Path = Field(
        default=Path("~/.medtwin"), description="the folder of the store, its keys and its audit"
    )
    database: SecretStr | None = Field(
        default=None,
        description="the address of a PostgreSQL store (postgresql://...), instead of a file in it",
    )
    sure: Literal["review", "link"] = Field(
        default="review",
        description="what becomes of two records that are surely of one person: review or link",
    )
    host: str = Field(default="127.0.0.1", description="the address at which pages are served")
    port: int = Field(
        default=8000, ge=0, le=65535, description="the port at which pages are served; 0 is any"
    )
    debug: bool = Field(
        default=False, description="show where in the code an error arose, for developers"
    )
    mllp_certificate: Path | None = Field(
        default=None, description="the certificate (PEM) of `medtwin listen`; with it, TLS"
    )
    mllp_key: Path | None = Field(default=None, description="the key (PEM) of that certificate")
    mllp_clients: Path | None = Field(
        default=None, description="who vouches for senders (PEM); others are turned away"
    )

    @property
    def store(self) -> Path:
        """The home, with `~` written out."""
        return self.home.expanduser()
