"""The methods text and the citation of a run: what a paper has to say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from engine.contract import RunInfo
from engine.wording import tier_sentence
from kindred.bundles import Manifest

__all__ = ["citation_bib", "citation_cff", "methods"]

_CREATED: Final = "kindred: a graph-database engine that separates resonance from influence"


def methods(
    manifest: Manifest, run: RunInfo, tables: Mapping[str, pa.Table], agreement: str
) -> str:
    """Return the methods text of a run, as Markdown.

    Parameters
    ----------
    manifest
        What is in the bundle.
    run
        The run in it.
    tables
        Its tables: what the run said of itself is quoted.
    agreement
        How it compares with the run it was made from.
    """
    params = manifest.params
    counts = ", ".join(f"{many:,} {what}" for what, many in run.counts.items() if many)
    notes = [str(row["text"]) for row in tables["notes"].to_pylist()]
    held = [str(row["reason"]) for row in tables["calibration"].to_pylist()]
    flagged = sum("flagged" in flags for flags in tables["scores"]["flags"].to_pylist())
    computed = (
        f"Computed with kindred {manifest.versions['kindred']}, seed {params.seed}, "
        f"run {manifest.run_id}, on data with the fingerprint {manifest.fingerprint}: {counts}."
    )
    measured = (
        f"Communities were found with Leiden and cross-fitted in {params.folds} folds, so that "
        "no score of a source is counted on communities that its own shares helped to form. "
        "Lifts of observed over expected shares have an empirical-Bayes prior on a fixed grid of "
        "gammas, fitted over all cells; figures are given with 90 % intervals, lists are ranked "
        "by the lower end and cut so that at most "
        f"{params.false_sign_rate:.0%} of them are expected to have the wrong sign: {flagged:,} "
        "(source, community) cells were flagged."
    )
    parts = [
        "# Methods",
        computed,
        tier_sentence(run.tier),
        measured,
        "## What the run says of itself",
        "\n".join(f"- {note}" for note in notes),
        "## Whether the claims came true on held-out time",
        "\n".join(f"- {line}" for line in held) or "It was not looked at.",
        "## The data in this bundle",
        _data(manifest),
        agreement,
        "## Options",
        "\n".join(f"- {name}: {value}" for name, value in params.model_dump(mode="json").items()),
    ]
    return "\n\n".join(parts) + "\n"


def _data(manifest: Manifest) -> str:
    if not manifest.pseudonyms:
        return (
            "Accounts and contents stand under their own ids. Texts gave way to placeholders of "
            "the same length."
        )
    return (
        "Accounts and contents go by pseudonyms, a hash with a key that was thrown away; names, "
        "handles and addresses are gone, and texts gave way to placeholders of the same length. "
        "Times, counts, account labels, hashtags, domains and brands are as they were: whoever "
        "has the original data can recognise accounts by what they did. Sources are given to "
        "folds, and users are ordered, by their ids, so that the run under pseudonyms "
        f"({manifest.run_id}) is not the run it was made from ({manifest.of_run}) to the last "
        "digit; every table here is of the run under pseudonyms, and can be computed again from "
        "the data here."
    )


def citation_cff(manifest: Manifest, run: RunInfo) -> str:
    """Return `CITATION.cff` for the software and the run."""
    return "\n".join(
        (
            "cff-version: 1.2.0",
            "message: Cite the software and name the run.",
            f'title: "{_CREATED}"',
            "type: software",
            f'version: "{manifest.versions["kindred"]}"',
            f"date-released: {run.created_at:%Y-%m-%d}",
            "license: Apache-2.0",
            "authors:",
            '  - name: "The kindred developers"',
            "identifiers:",
            "  - type: other",
            f'    value: "run {manifest.run_id}, data {manifest.fingerprint}"',
            '    description: "The run and the hash of its data"',
            "",
        )
    )


def citation_bib(manifest: Manifest, run: RunInfo) -> str:
    """Return the citation as BibTeX."""
    return (
        f"@software{{kindred_{manifest.run_id.removeprefix('r-')},\n"
        "  author = {{The kindred developers}},\n"
        f"  title = {{{_CREATED}}},\n"
        f"  version = {{{manifest.versions['kindred']}}},\n"
        f"  year = {{{run.created_at:%Y}}},\n"
        f"  note = {{Run {manifest.run_id}, data {manifest.fingerprint}}}\n"
        "}\n"
    )
