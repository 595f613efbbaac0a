"""The HTTP API and the pages of a store, on this machine only."""

from __future__ import annotations

from api.app import create_app

__all__ = ["create_app"]
