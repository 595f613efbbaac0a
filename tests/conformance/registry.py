"""Every kind of store there is, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.conformance.backends import embedded, neo4j
from tests.conformance.conf import Conf

CONFS: Final[Mapping[str, Conf]] = {conf.name: conf for conf in (embedded.CONF, neo4j.CONF)}
