"""A window of time: what is kept, against canonical rows that were cut by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine.assemble import assemble
from engine.errors import TooLittleData, UsageError
from engine.params import AnalysisParams
from engine.snapshot import NO_TIME, Snapshot
from engine.sources import events
from engine.ties import observe
from engine.window import seen, span, within
from tests.engine.backends.worlds import START, World, random_batch, world

HOUR = 3_600_000_000
AT = int(START.timestamp()) * 1_000_000


def named(ids: pa.Array, index: Any) -> list[str | None]:
    found: list[str | None] = ids.take(pa.array(index, mask=index < 0)).to_pylist()
    return found


def acts(s: Snapshot) -> dict[str, list[tuple[Any, ...]]]:
    """What people did, by name and time, in the order of the snapshot."""
    user, content = s.users.user_id, s.contents.content_id
    b = s.brands
    return {
        "shares": list(zip(named(user, s.shares.user), named(content, s.shares.content),
                           s.shares.at.tolist(), s.shares.kind.tolist(),
                           named(user, s.shares.via), strict=True)),
        "mentions": list(zip(named(user, s.mentions.user), named(user, s.mentions.target),
                             s.mentions.at.tolist(), strict=True)),
        "brand_mentions": list(zip(named(b.brand_id, b.mention_brand), named(user, b.mention_user),
                                   b.mention_at.tolist(), strict=True)),
        "replies": list(zip(named(user, s.replies.user), named(content, s.replies.parent),
                            s.replies.at.tolist(), strict=True)),
        "reactions": list(zip(named(user, s.reactions.user), named(content, s.reactions.content),
                              s.reactions.kind.tolist(), s.reactions.at.tolist(), strict=True)),
        "interactions": list(zip(named(user, s.interactions.user),
                                 named(user, s.interactions.target),
                                 s.interactions.kind.tolist(), s.interactions.at.tolist(),
                                 strict=True)),
    }  # fmt: skip


def in_window(at: int, since: int, until: int) -> bool:
    return at != NO_TIME and since <= at < until


@pytest.mark.parametrize("seed", range(30))
def test_only_what_happened_in_the_window_is_kept(seed: int) -> None:
    whole = assemble(random_batch(seed))
    since, until = AT + HOUR, AT + 4 * HOUR
    cut = within(whole, since, until)
    before = acts(whole)
    time = {"shares": 2, "mentions": 2, "brand_mentions": 2, "replies": 2, "reactions": 3,
            "interactions": 3}  # fmt: skip
    assert acts(cut) == {
        name: [row for row in rows if in_window(row[time[name]], since, until)]
        for name, rows in before.items()
    }
    assert cut.users is whole.users
    assert cut.follows is whole.follows
    assert np.array_equal(cut.contents.author, whole.contents.author)
    assert cut.contents.posted.tolist() == [
        in_window(at, since, until) for at in whole.contents.created_at.tolist()
    ]
    shown = cut.contents.posted[whole.impressions.content]
    assert cut.impressions.count.tolist() == whole.impressions.count[shown].tolist()


def moment(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def about_acme() -> World:
    """Ann and Bob post about acme.com, before and in the window; others pass both posts on."""
    return world(
        content=[
            {"content_id": "x:old", "author_id": "x:ann", "created_at": moment(0)},
            {"content_id": "x:new", "author_id": "x:bob", "created_at": moment(30)},
            {"content_id": "x:never", "author_id": "x:ann", "created_at": moment(1)},
        ],
        topics=[
            {"content_id": name, "kind": "domain", "label": "acme.com"}
            for name in ("x:old", "x:new", "x:never")
        ],
        shares=[
            {"user_id": "x:cid", "content_id": "x:old", "at": moment(2)},
            {"user_id": "x:dan", "content_id": "x:old", "at": moment(31)},
            {"user_id": "x:eve", "content_id": "x:new", "at": moment(32)},
            {"user_id": "x:fay", "content_id": "x:new", "at": None},
        ],
    )


def test_an_old_post_is_no_act_but_its_share_is() -> None:
    cut = within(assemble(about_acme()), AT + 24 * HOUR, None)
    domain = events(cut, "domain")
    assert named(cut.users.user_id, domain.user) == ["x:bob", "x:dan", "x:eve"]
    assert domain.n_posts.tolist() == [2]
    user = events(cut, "user")
    assert user.source_id.to_pylist() == ["x:ann", "x:bob"]
    assert named(cut.users.user_id, user.user) == ["x:dan", "x:eve"]
    assert user.n_posts.tolist() == [1, 1]
    tied = observe(cut, AnalysisParams(ties=("coshares",)))
    assert {*named(cut.users.user_id, tied.user)} == {"x:bob", "x:dan", "x:eve"}


def test_a_window_is_known_whatever_lies_outside_it() -> None:
    tables = about_acme()
    fewer = dict(tables, shares=tables["shares"].slice(1))
    one, other = assemble(tables), assemble(fewer)
    assert one.fingerprint != other.fingerprint
    # x:cid shares only before the window: without that act the person is still there.
    other = assemble(fewer | {"users": pa.table({"user_id": pa.array(["x:cid"], pa.string())})})
    since = AT + 24 * HOUR
    assert within(one, since, None).fingerprint == within(other, since, None).fingerprint
    assert within(one, since, None).fingerprint != within(one, since + 8 * HOUR, None).fingerprint


def test_what_is_said_of_a_window() -> None:
    params = AnalysisParams(since=moment(24), until=moment(48))
    cut, said = seen(assemble(about_acme()), params)
    assert len(cut.shares.user) == 2
    assert said == (
        "Only 2021-09-02 up to 2021-09-03 (UTC) was analysed: 2 shares, 1 posts about topics.",
        "Left out, since they have no time: 1 shares.",
    )
    whole = assemble(about_acme())
    assert seen(whole, AnalysisParams()) == (whole, ())
    assert span(whole) == (AT, AT + 32 * HOUR)


def test_a_window_without_shares_says_what_was_found() -> None:
    with pytest.raises(TooLittleData) as fault:
        seen(assemble(about_acme()), AnalysisParams(since=moment(24 * 9)))
    assert fault.value.found == (
        "0 shares, 0 posts about topics in it, of 4 shares, 3 posts about topics; "
        "they are from 2021-09-01 to 2021-09-02 08:00:00"
    )


def test_a_window_that_ends_before_it_begins() -> None:
    with pytest.raises(UsageError, match="ends before it begins"):
        seen(assemble(about_acme()), AnalysisParams(since=moment(2), until=moment(1)))


def test_a_time_without_a_zone_is_utc() -> None:
    there = datetime.fromisoformat("2021-09-01T02:00:00+02:00")
    assert AnalysisParams(since=there) == AnalysisParams(since=datetime(2021, 9, 1))  # noqa: DTZ001
    assert AnalysisParams(since=there).since == datetime(2021, 9, 1, tzinfo=UTC)
