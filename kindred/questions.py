"""Questions that are answered from a run and its data together, and how every answer is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from engine import lists
from engine.contract import Backend, LoadReport, RunInfo
from engine.progress import Progress, silent
from engine.scene import Scene, scene
from engine.wording import MADE_DATA, lower_bound, score_word
from kindred.result import Result

if TYPE_CHECKING:
    from engine.params import SourceKind
    from kindred.contrasted import Contrasted
    from kindred.explained import Explained

__all__ = ["Questions", "made"]


class Questions:
    """What `Kindred` can be asked beyond the tables of a run."""

    backend: Backend
    _scenes: dict[str, Scene]

    def _scene(self, run: str | None) -> Scene:
        """Bring a run and its data together, once a run."""
        info = self.backend.run(run)
        if info.run_id not in self._scenes:
            self._scenes = {info.run_id: scene(self.backend, info.run_id)}
        return self._scenes[info.run_id]

    def _made(self) -> tuple[str, ...]:
        return made(self.backend.batches())

    def series(
        self,
        source: str,
        *,
        kind: str | None = None,
        community: str | None = None,
        run: str | None = None,
    ) -> Result:
        """Follow a source's scores along the windows of `analyse(every=...)`, oldest first.

        Parameters
        ----------
        source
            Id, label or handle.
        community
            Only there; by default in each, and over all (`community_id` null).
        run
            The last run of the series; by default the active one.

        Raises
        ------
        NotFound
            If the run is not one of a series, or knows no such source.
        """
        from engine.series import series

        info = self.backend.run(run)
        rows = series(self.backend, source, kind=kind, community_id=community, run_id=info.run_id)
        return self._result(rows, f"{lower_bound(info.tier)}, window by window", info)

    def why(
        self,
        source: str,
        community: str,
        *,
        kind: str | None = None,
        limit: int | None = 20,
        run: str | None = None,
    ) -> Explained:
        """Take the score of a source in a community apart.

        Parameters
        ----------
        source
            Id, label or handle.
        community
            A community that shared it.
        limit
            Most members and contents.

        Returns
        -------
        Explained
            The score as it stands, without its largest contributor, without the 1 % of
            accounts most in step, and without bots; its `.parts`, `.members`, `.contents`.

        Raises
        ------
        NotFound
            If nobody there shared it.
        """
        from engine.why import one_source, why
        from kindred.explained import Explained

        whole = self._scene(run)
        which = one_source(self.backend, whole.run.run_id, source, kind)
        found = why(self.backend, whole, which, community, limit=limit)
        return Explained(found, whole.run, str(found.score["label"]), self._beside(whole.run))

    def joint(
        self,
        sources: Sequence[str],
        *,
        kind: str | None = None,
        community: str | None = None,
        strict: bool = False,
        run: str | None = None,
    ) -> Result:
        """Score several sources as one: a campaign, a party, a set of hashtags.

        Parameters
        ----------
        sources
            Ids, labels or handles, of one kind.
        strict
            Find communities once more, without any share of these sources: costs about a
            sixth of the communities of an analysis.

        Returns
        -------
        Result
            A row a community, and one over all (`community_id` null).
        """
        from engine.joint import joint
        from engine.why import one_source

        whole = self._scene(run)
        if community is not None:
            lists.community(self.backend, whole.run.run_id, community)
        which = [one_source(self.backend, whole.run.run_id, name, kind) for name in sources]
        found = joint(self.backend, whole, which, community_id=community, strict=strict)
        title = f"{score_word(whole.run.tier)} of {len(set(which))} sources together"
        return self._result(found.table, title, whole.run, (*found.notes, *self._said(whole.run)))

    def scorecard(
        self,
        source: str,
        *,
        community: str | None = None,
        kind: str | None = None,
        run: str | None = None,
    ) -> Result:
        """Give every element of the integration model for a source.

        Parameters
        ----------
        source
            Id, label or handle.
        community
            Only people of it; by default everyone.

        Returns
        -------
        Result
            A row an element, in the order of the model (docs/scorecard.md). What the data
            cannot tell has no value and a reason.

        Raises
        ------
        NotFound
            If there is no such source or community.
        """
        from engine.scorecard import scorecard, shown
        from engine.why import one_source

        whole = self._scene(run)
        run_id = whole.run.run_id
        if community is not None:
            lists.community(self.backend, run_id, community)
        which, of = one_source(self.backend, run_id, source, kind)
        read = lists.reader(self.backend, run_id)
        found = scorecard(whole, read, cast("SourceKind", which), of, community)
        where = "" if community is None else f" in {community}"
        return self._result(shown(found), f"scorecard of {of}{where}", whole.run)

    def reach(
        self,
        *sources: str,
        community: str | None = None,
        kind: str | None = None,
        limit: int | None = None,
        run: str | None = None,
    ) -> Result:
        """Count the distinct people that sources reach, each and together.

        Parameters
        ----------
        *sources
            Ids, labels or handles, of any kind; without any, all sources of the run, most
            exposed first.
        community
            Only its members; by default everybody.
        kind
            Only sources of this kind.

        Returns
        -------
        Result
            A row a source. Of a set of sources also one for all of them, each person counted
            once, and one for each two whose audiences overlap (see `part`).

        Raises
        ------
        NotFound
            If there is no such source or community.
        """
        from engine.campaign import joint, members_of
        from engine.why import one_source

        info = self.backend.run(run)
        if community is not None:
            lists.community(self.backend, info.run_id, community)
        where = "" if community is None else f" in {community}"
        if not sources:
            page = lists.reach(
                self.backend, info.run_id, kind=kind, community_id=community, limit=limit
            )
            return self._result(page.rows, f"reach{where}: distinct people", info)
        whole = self._scene(run)
        which = [one_source(self.backend, info.run_id, name, kind) for name in sources]
        members = None if community is None else members_of(self.backend, whole, community)
        rows = joint(whole, which, community, members)
        return self._result(rows.slice(0, limit), f"reach together{where}: distinct people", info)

    def seeds(
        self,
        community: str,
        *,
        source: str,
        count: int = 10,
        kind: str | None = None,
        run: str | None = None,
        progress: Progress = silent,
    ) -> Result:
        """Choose whom to talk to, so that a source moves a community. Experimental.

        Parameters
        ----------
        source
            Id, label or handle of whose posts they are.
        count
            How many people.

        Returns
        -------
        Result
            The list chosen, and those most resonant and most authoritative there, each with
            the members moved on average by all up to a row, in a model of who passes on what.

        Raises
        ------
        TooLittleData
            Where the data do not say who follows whom.
        """
        from engine.seeds import seeds
        from engine.why import one_source

        info = self.backend.run(run)
        lists.community(self.backend, info.run_id, community)
        which = one_source(self.backend, info.run_id, source, kind)
        found = seeds(
            self.backend, self._scene(run), community, which, count=count, progress=progress
        )
        title = f"whom to talk to in {community} (experimental)"
        return self._result(found.table, title, info, found.said)

    def compare_sources(
        self,
        sources: Sequence[str],
        *,
        kind: str | None = None,
        limit: int | None = None,
        run: str | None = None,
    ) -> Contrasted:
        """Compare two to ten sources: where each is strong, and how far they are apart.

        Returns
        -------
        Contrasted
            Communities, `shared` or `exclusive`; its `.cells` and `.differences`.
        """
        from engine.versus import versus
        from engine.why import one_source
        from kindred.contrasted import Contrasted

        whole = self._scene(run)
        which = [one_source(self.backend, whole.run.run_id, name, kind) for name in sources]
        found = versus(self.backend, whole, which)
        return Contrasted(found, whole.run, self._beside(whole.run), limit=limit)

    def _said(self, run: RunInfo) -> list[str]:
        return lists.beside_scores(self.backend, run.run_id)

    def _beside(self, run: RunInfo) -> tuple[str, ...]:
        return (*self._made(), *self._said(run))

    def _result(
        self, rows: pa.Table, title: str, run: RunInfo, beside: Sequence[str] = ()
    ) -> Result:
        return Result(rows, title, run.run_id, run.tier, (*self._made(), *beside))


def made(reports: Sequence[LoadReport]) -> tuple[str, ...]:
    """Return what must be said of data that were made up."""
    return tuple(f"{MADE_DATA}: {title}" for title in lists.made_sources(reports))
