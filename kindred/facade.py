"""The library: `kindred.connect` and the verbs of a store.

Every command that asks or changes a store is a verb of the same name here, with the same
rows: `scores` is another name of `resonance`, and `communities ID --members` is `members`.
A verb lists everything unless given a `limit`; a command stops at 20 rows in a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import orjson
import pyarrow as pa

from engine import connect as connecting
from engine import lists
from engine.contract import Backend, LoadReport, Removable, RunInfo
from engine.errors import UsageError
from engine.model import COUNT, TEXT, TIME
from engine.params import AnalysisParams
from engine.progress import Progress, silent
from engine.results import RESULTS
from engine.server import Server
from engine.wording import lower_bound, tier_sentence
from kindred.questions import Questions, made
from kindred.result import Result

if TYPE_CHECKING:
    from kindred.compared import Compared
    from kindred.suffix import FileFormat, GraphFormat
    from kindred.validated import Validated

__all__ = ["EXPORTS", "TABLES", "Kindred", "connect"]

TABLES = (*RESULTS, "rejects")
"""What `Kindred.table` returns: every result table, and the rejected rows."""
EXPORTS = (*TABLES, "graph")
"""What `Kindred.export` can write."""

_RUNS = pa.schema(
    [
        ("run_id", TEXT),
        ("created_at", TIME),
        ("active", pa.bool_()),
        ("stale", pa.bool_()),
        ("since", TIME),
        ("until", TIME),
        ("tier", TEXT),
        ("seed", COUNT),
        ("seconds", pa.float64()),
        ("batches", pa.list_(TEXT)),
        ("fingerprint", TEXT),
        ("params", TEXT),
        ("counts", TEXT),
        ("timings", TEXT),
        ("versions", TEXT),
    ]
)
_LOADED = pa.schema(
    [
        ("source", TEXT),
        ("format", TEXT),
        ("batch_id", TEXT),
        ("already_loaded", pa.bool_()),
        ("table", TEXT),
        ("reason", TEXT),
        ("rows", COUNT),
        ("new_rows", COUNT),
    ]
)


def connect(
    store: str | Path | None = None,
    *,
    create: bool = True,
    read_only: bool = False,
    wait: bool = True,
    database: str | None = None,
    server: Server | None = None,
) -> Kindred:
    """Open a store.

    Parameters
    ----------
    store
        A folder, or a server such as `neo4j://localhost:7687`. By default KINDRED_STORE,
        else ./kindred-data.
    create
        Make the store where there is none; otherwise `StoreMissing` is raised.
    read_only
        Never write, not even the lock file.
    wait
        Wait for another process that is writing; otherwise `StoreLocked` is raised.
    database
        Which database of a server. By default KINDRED_DATABASE, else its home database.
    server
        Name, password and limits. By default those of KINDRED_NEO4J_USER,
        KINDRED_NEO4J_PASSWORD or KINDRED_NEO4J_PASSWORD_FILE.

    Examples
    --------
    >>> import kindred, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, kindred.connect(folder + "/s") as k:
    ...     len(k.runs())
    0
    """
    from kindred.settings import Settings

    settings = Settings()
    address = settings.store if store is None else store
    if server is None and connecting.asks_server(address):
        server = settings.server(database)
    elif server is not None and database is not None:
        server = replace(server, database=database)
    return Kindred(
        connecting.connect(address, create=create, read_only=read_only, wait=wait, server=server)
    )


class Kindred(Questions):
    """A store, and what can be asked of it.

    Verbs that read take `run`, the id of a run; by default the active one. Their answer is
    a `Result`: `.to_pandas()`, `.to_arrow()`, `.run_id`. Close it, or use it in a `with`.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._scenes = {}

    def load(
        self,
        *paths: str | Path,
        format: str | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> Result:
        """Load exports: files, patterns, or folders of canonical tables.

        A file is loaded as a whole or not at all, and only once however often it is given.

        Parameters
        ----------
        format
            Name of a format (see `formats`); by default the file says it itself.
        **options
            What the file does not say; `formats` lists the options of each format, such as
            `source_column`, `target_column`, `direction`, `kind`, `platform`, `brands`.

        Returns
        -------
        Result
            A row for each table of each source (`rows` read, `new_rows` not known before)
            and one for each reason why rows were rejected (`table` is null).
        """
        from loaders.run import load

        reports = load(self.backend, paths, format=format, options=options, progress=progress)
        rows = [row for report in reports for row in _load_rows(report)]
        notes = tuple(note for report in reports for note in report.notes)
        return Result(pa.Table.from_pylist(rows, _LOADED), "loaded", notes=notes + made(reports))

    @staticmethod
    def adopt(
        store: str | None = None,
        *,
        results: str | Path | None = None,
        publish: bool = False,
        dry_run: bool = False,
        platform: str = "graph",
        database: str | None = None,
        server: Server | None = None,
        wait: bool = True,
        progress: Progress = silent,
        **paths: str | Sequence[str],
    ) -> Result:
        """Map somebody's own graph on a Neo4j server to the model, so that it can be analysed.

        The graph is read where it is, and never written to. What was understood is returned,
        counted; open the place of results with `connect` and analyse.

        Parameters
        ----------
        store
            Address of the server that holds the graph. By default KINDRED_STORE.
        results
            Where runs will stand: a database of the same server, a folder, or the address of
            another server.
        publish
            Let them stand beside the graph, in nodes of kindred's own (`kindred_User`, …).
        dry_run
            Keep nothing.
        platform
            First part of every id: `platform:key`.
        database, server
            As for `connect`.
        **paths
            What is what: `users`, `content`, `posts`, `shares`, `likes`, `replies`,
            `mentions`, `follows`, `interactions`, `topics`, `brands` or `accounts`, each a
            path or several, such as `shares="(:Person)-[:RETWEETED {at: when}]->(:Tweet)"`.

        Returns
        -------
        Result
            A row a path: an example in a sentence, rows, rows left out, remarks.

        Raises
        ------
        UsageError
            If a path means nothing in that graph, or no place is named.
        """
        from kindred.adopting import adopt

        return adopt(
            store,
            {name: [path] if isinstance(path, str) else path for name, path in paths.items()},
            results=results,
            publish=publish,
            dry_run=dry_run,
            platform=platform,
            database=database,
            server=server,
            wait=wait,
            progress=progress,
        )

    def remove(self, what: Removable, *, progress: Progress = silent) -> Result:
        """Take out what kindred wrote, and nothing else.

        Parameters
        ----------
        what
            `results`: all runs, and what of them is in the graph. `all`: the store itself;
            the place is then as it was before.

        Returns
        -------
        Result
            A row for each kind of thing that went: `what`, `count`.
        """
        gone = self.backend.remove(what, progress)
        rows = {"what": pa.array(list(gone), TEXT), "count": pa.array(list(gone.values()), COUNT)}
        return Result(pa.table(rows), f"removed: {what}")

    @staticmethod
    def formats() -> Result:
        """List the formats that can be loaded, in the order a file is held against them."""
        from loaders.formats import FORMATS

        rows = [
            {
                "name": f.name,
                "about": f.about,
                "told_by": f.told_by,
                "carries": f.carries,
                "cannot_say": f.cannot_say,
                "options": list(f.all_options),
                "confirmed": f.confirmed,
                "example": f.example,
            }
            for f in FORMATS
        ]
        return Result(pa.Table.from_pylist(rows), "formats")

    def analyse(
        self,
        params: AnalysisParams | None = None,
        *,
        window: str | None = None,
        every: str | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> Result:
        """Find communities, score and calibrate everything, and make it the active run.

        Parameters
        ----------
        params
            All options as one value.
        window
            Only what happened in it, such as `2021-08-01..2021-09-01`: both `since` and
            `until` at once.
        every
            A run for each stretch of this length, such as `30d`, oldest first, each
            continuing the community ids of the one before; see `series`.
        **options
            Or single fields of `AnalysisParams`, such as `seed=7`.

        Returns
        -------
        Result
            The row of the new run, as in `runs`; its `run_id` is the new run's. With `every`
            a row a run; the last is the active one.

        Raises
        ------
        UsageError
            If an option does not exist or its value is not allowed.
        """
        from engine.series import analyse_every, parsed
        from engine.verbs import analyse

        if window is not None:
            options |= dict(zip(("since", "until"), parsed(window), strict=True))
        chosen = _params(params, options)
        if every is None:
            return _runs([analyse(self.backend, chosen, progress)])
        found = analyse_every(self.backend, chosen, every, progress)
        return _runs(found.runs, found.skipped)

    analyze = analyse

    def validate(
        self,
        *,
        split: float = 0.6,
        sources: Sequence[str] | None = None,
        seed: int = 1,
        progress: Progress = silent,
    ) -> Validated:
        """Hold the score and simpler figures against what new people shared later.

        Everything is learned on the first part of the time; nothing in the store changes, and
        no run is needed.

        Parameters
        ----------
        split
            Part of the time that is learned from.
        sources
            Kinds of sources; by default user, brand and domain.
        seed
            Seed of the folds and of the bootstrap.

        Returns
        -------
        Validated
            Rows are the score and its rivals: deviance explained, rank correlation, NDCG at 10,
            and how far the score is ahead, with 95 % intervals. `.calibration` are the
            slopes, `.bins` realised against predicted lift; `.write(folder)` writes all three.

        Raises
        ------
        TooLittleData
            If no kind of source has 1,000 later shares by new people, or nothing has a time.
        """
        from engine.validation import validate
        from kindred.validated import Validated

        kinds = tuple(sources) if sources else None
        params = _params(None, {"split": split, "sources": kinds, "seed": seed})
        found = validate(self.backend.snapshot(), params, progress)
        return Validated(found, split, self._made())

    def runs(self) -> Result:
        """List the runs, newest first."""
        return _runs(self.backend.runs())

    def communities(
        self,
        community: str | None = None,
        *,
        verdict: str | None = None,
        level: int | None = 1,
        limit: int | None = None,
        run: str | None = None,
    ) -> Result:
        """List communities, largest first, or return one of them.

        `level` 1 is what is judged and scored, 0 joins its communities, 2 parts them, and
        None is all three.
        """
        info = self.backend.run(run)
        if community is not None:
            rows = lists.community(self.backend, info.run_id, community)
            return self._result(rows, f"community {community}", info)
        page = lists.communities(
            self.backend, info.run_id, verdict=verdict, level=level, limit=limit
        )
        return self._result(page.rows, "communities", info)

    def changes(self, *, limit: int | None = None, run: str | None = None) -> Result:
        """List what became of the communities of the run whose ids this one carries on.

        Merges, splits, births and deaths first, then what was kept; larger ones first.
        """
        info = self.backend.run(run)
        rows = lists.changes(self.backend, info.run_id, limit=limit)
        return self._result(rows, "changes", info, lists.continued(self.backend, info))

    def members(
        self, community: str, *, limit: int | None = None, run: str | None = None
    ) -> Result:
        """List the members of a community, the most authoritative inside it first."""
        info = self.backend.run(run)
        lists.community(self.backend, info.run_id, community)
        page = lists.members(self.backend, info.run_id, community, limit=limit)
        return self._result(page.rows, f"members of {community}", info)

    def scores(
        self,
        source: str | None = None,
        *,
        kind: str | None = None,
        brand: str | None = None,
        community: str | None = None,
        overall: bool = False,
        quadrant: str | None = None,
        flagged: bool | None = None,
        limit: int | None = None,
        run: str | None = None,
    ) -> Result:
        """List what communities share beyond expectation, by the lower bound.

        Parameters
        ----------
        source
            Id, label or handle of one source; `brand` is the same for a brand.
        overall
            The rows over all communities instead of one row a community.
        flagged
            True for claims at the run's false-sign rate only.
        """
        info = self.backend.run(run)
        if brand is not None:
            source, kind = brand, "brand"
        ids = None
        if source is not None:
            ids = lists.sources_named(self.backend, info.run_id, source, kind=kind)
        if community is not None:
            lists.community(self.backend, info.run_id, community)
        page = lists.scores(
            self.backend,
            info.run_id,
            source_ids=ids,
            kind=kind,
            community_id=community,
            roll_up=overall,
            quadrant=quadrant,
            flagged=flagged,
            limit=limit,
        )
        beside = lists.beside_scores(self.backend, info.run_id)
        if info.tier is None:
            beside = [tier_sentence(None)]
        return self._result(page.rows, lower_bound(info.tier), info, beside)

    resonance = scores

    def influence(
        self,
        source: str | None = None,
        *,
        kind: str | None = None,
        community: str | None = None,
        limit: int | None = None,
        run: str | None = None,
    ) -> Result:
        """List sources by how loud they are; `community` is the home of a user."""
        info = self.backend.run(run)
        ids = None
        if source is not None:
            ids = lists.sources_named(self.backend, info.run_id, source, kind=kind)
        if community is not None:
            lists.community(self.backend, info.run_id, community)
        page = lists.influence(
            self.backend,
            info.run_id,
            source_ids=ids,
            kind=kind,
            community_id=community,
            limit=limit,
        )
        return self._result(page.rows, "influence (raw, never part of a score)", info)

    def cascades(
        self,
        content: str | None = None,
        *,
        community: str | None = None,
        limit: int | None = None,
        run: str | None = None,
    ) -> Result:
        """List how contents travelled, most shared first, or who passed one content on."""
        info = self.backend.run(run)
        if content is not None:
            lists.cascade(self.backend, info.run_id, content)
            page = lists.sharers(self.backend, info.run_id, content, limit=limit)
            return self._result(page.rows, f"cascade of {content}", info)
        if community is not None:
            lists.community(self.backend, info.run_id, community)
        page = lists.cascades(self.backend, info.run_id, community_id=community, limit=limit)
        return self._result(page.rows, "cascades", info)

    def calibration(self, *, bins: bool = False, run: str | None = None) -> Result:
        """Say whether the claims come true on held-out time; `bins` by predicted lift."""
        info = self.backend.run(run)
        table = "calibration_bins" if bins else "calibration"
        rows = self.backend.read(table, run_id=info.run_id)
        return self._result(rows, "calibration on held-out time", info)

    def compare(
        self,
        run: str | None = None,
        other: str | None = None,
        *,
        store: str | Path | None = None,
        changed: bool = False,
        limit: int | None = None,
    ) -> Compared:
        """Compare two runs: their data and parameters, communities and scores.

        Parameters
        ----------
        run
            A run of this store. By default the one before the other; the active one where
            the other is in another store.
        other
            Another run. By default the active one.
        store
            Where the other run is; by default here.
        changed
            Only scores that are in another quadrant.
        limit
            Most rows of communities and of scores.

        Raises
        ------
        NotFound
            If there is no such run, or only one.
        """
        from engine.compare import compare
        from kindred.compared import Compared

        with ExitStack() as opened:
            there = self if store is None else opened.enter_context(connect(store, create=False))
            if run is None and store is None:
                run = lists.run_before(self.backend, other)
            mine, theirs = self.backend.run(run), there.backend.run(other)
            found = compare(self.backend, mine.run_id, there.backend, theirs.run_id)
            said = made((*self.backend.batches(), *there.backend.batches()))
        return Compared(found, mine, theirs, said, changed=changed, limit=limit)

    def notes(self, *, run: str | None = None) -> Result:
        """Return what a run has to say about itself, in sentences."""
        info = self.backend.run(run)
        return self._result(self.backend.read("notes", run_id=info.run_id), "notes", info)

    def table(self, name: str, *, run: str | None = None) -> Result:
        """Return a table with exactly its declared columns: one of `TABLES`.

        Raises
        ------
        UsageError
            If there is no table of this name.
        """
        if name not in TABLES:
            raise UsageError(
                f"the table '{name}'", "no table has this name", f"take one of {', '.join(TABLES)}"
            )
        if name == "rejects":
            return Result(self.backend.rejects(), "rejected rows", notes=self._made())
        info = self.backend.run(run)
        return self._result(self.backend.read(name, run_id=info.run_id), name, info)

    def export(
        self,
        table: str,
        path: str | Path,
        *,
        format: FileFormat | GraphFormat | None = None,
        force: bool = False,
        run: str | None = None,
        progress: Progress = silent,
    ) -> Result:
        """Write a table to a file, or the graph to a folder, whole or not at all.

        Parameters
        ----------
        table
            One of `EXPORTS`.
        path
            Its suffix says the format: .parquet, .csv, .json, .jsonl. For the graph, a folder.
        format
            Of the graph `neo4j-admin`: files for `neo4j-admin database import full`, which
            make an empty database a store that holds all that was loaded into this one.
        force
            Replace what such an export made.

        Returns
        -------
        Result
            The rows of the table; of the graph, a row for each file.
        """
        if (table == "graph") != (format == "neo4j-admin"):
            raise UsageError(
                f"to write {table} as {format or path}",
                "the graph is written for neo4j-admin, and nothing else is",
                "give: kindred export graph --format neo4j-admin -o FOLDER",
            )
        if format == "neo4j-admin":
            from kindred.graph_export import write_graph

            if run is not None:
                raise UsageError(f"the graph of {run}", "its files hold no runs", "leave --run out")
            files = write_graph(self.backend, Path(path), force=force, progress=progress)
            return Result(files, "files", notes=self._made())
        from kindred.writing import write_file

        result = self.table(table, run=run)
        write_file(result.to_arrow(), Path(path), format, force=force)
        return result

    def bundle(
        self,
        run: str | None = None,
        *,
        path: str | Path,
        handles: bool = False,
        force: bool = False,
        progress: Progress = silent,
    ) -> Result:
        """Write a run as one file that a paper can name and a reader can compute again.

        A zip of the data without texts, every result table, the main ones as csv, figures, a
        methods text and a citation. Accounts and contents go by pseudonyms whose key is thrown
        away; the run is computed again under them, since its folds follow from ids.

        Parameters
        ----------
        run
            Which run; by default the active one.
        path
            The zip.
        handles
            Keep the ids of accounts and contents.
        force
            Replace a file that is there.

        Returns
        -------
        Result
            A row a file in it: `file`, `bytes`, `sha256`.
        """
        from kindred.bundling import write_bundle

        info = self.backend.run(run)
        files = write_bundle(
            self.backend, info.run_id, Path(path), handles=handles, force=force, progress=progress
        )
        return self._result(files, f"files in {path}", info)

    @staticmethod
    def replay(path: str | Path, *, progress: Progress = silent) -> Result:
        """Compute the run of a bundle again, in a store of its own, and compare every table.

        Returns
        -------
        Result
            A row a table: `table`, `rows`, `same`, `digest`, and the first `difference`.

        Raises
        ------
        InputError
            If it is no bundle, damaged or too large.
        """
        from kindred.replaying import replay

        manifest, rows = replay(Path(path), progress)
        alike = all(rows["same"].to_pylist())
        title = f"{'identical' if alike else 'not identical'}: {path}"
        written = manifest.versions.get("kindred")
        return Result(rows, title, manifest.run_id, None, (f"written by kindred {written}",))

    def query(
        self, cypher: str, parameters: Mapping[str, Any] | None = None, *, limit: int = 10_000
    ) -> Result:
        """Ask the graph in Cypher, read-only, with values as parameters."""
        rows = self.backend.query(cypher, parameters, limit=limit)
        return Result(rows, "query", notes=self._made())

    def view(
        self, folder: str | Path, *, run: str | None = None, progress: Progress = silent
    ) -> Result:
        """Write stand-alone pages into a folder; they open offline."""
        from viz.view import write_pages

        info = self.backend.run(run)
        pages = write_pages(self.backend, Path(folder), run_id=info.run_id, progress=progress)
        rows = pa.table({"path": pa.array([str(p) for p in pages], TEXT)})
        return self._result(rows, "pages", info)

    def doctor(self, *, rebuild: bool = False, progress: Progress = silent) -> Result:
        """Check every file of the store, and rebuild what is derived if asked."""
        found = [asdict(f) for f in self.backend.doctor(rebuild=rebuild, progress=progress)]
        schema = pa.schema([("what", TEXT), ("ok", pa.bool_()), ("found", TEXT), ("todo", TEXT)])
        return Result(pa.Table.from_pylist(found, schema), "doctor")

    def close(self) -> None:
        """Let go of every file."""
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        runs = self.backend.runs()
        active = next((r.run_id for r in runs if r.active), "none yet")
        return f"Kindred({len(self.backend.batches())} loads, active run: {active})"


def _params(params: AnalysisParams | None, options: Mapping[str, Any]) -> AnalysisParams:
    """Merge options into params; a pydantic error becomes three lines."""
    from pydantic import ValidationError

    given = params.model_dump(exclude_unset=True) if params else {}
    try:
        return AnalysisParams(**{**given, **options})
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else "options"
        known = AnalysisParams.model_fields
        about = known[field].description if field in known else f"one of {', '.join(known)}"
        raise UsageError(
            f"an analysis with {field} = {first['input']!r}", first["msg"], f"{field}: {about}"
        ) from error


def _load_rows(report: LoadReport) -> list[dict[str, Any]]:
    base = {
        "source": report.source,
        "format": report.format,
        "batch_id": report.batch_id,
        "already_loaded": report.already_loaded,
    }
    read = [
        base | {"table": table, "rows": rows, "new_rows": report.new_rows.get(table, 0)}
        for table, rows in report.rows.items()
    ]
    rejected = [
        base | {"reason": reason, "rows": rows, "new_rows": 0}
        for reason, rows in report.rejected.items()
    ]
    return read + rejected


def _runs(infos: Sequence[RunInfo], notes: tuple[str, ...] = ()) -> Result:
    rows = [
        {
            "run_id": info.run_id,
            "created_at": info.created_at,
            "active": info.active,
            "stale": info.stale,
            "since": info.params.since,
            "until": info.params.until,
            "tier": info.tier,
            "seed": info.params.seed,
            "seconds": sum(info.timings.values()),
            "batches": list(info.batches),
            "fingerprint": info.fingerprint,
            "params": info.params.model_dump_json(),
            "counts": orjson.dumps(dict(info.counts)).decode(),
            "timings": orjson.dumps(dict(info.timings)).decode(),
            "versions": orjson.dumps(dict(info.versions)).decode(),
        }
        for info in infos
    ]
    run_id, tier = (infos[0].run_id, infos[0].tier) if len(infos) == 1 else (None, None)
    return Result(pa.Table.from_pylist(rows, _RUNS), "runs", run_id, tier, notes)
