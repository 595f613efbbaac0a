"""Times in every shape people write them: read, left unknown, or refused; never 1970."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.read import Session
from loaders.shape import prepare


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with Session(tmp_path_factory.mktemp("times"), "times") as session:
        prepare(session)
        yield session


def moment(session: Session, cell: str | None, zone: str = "UTC") -> datetime | None:
    (found,) = session.run(
        "SELECT moment(CAST($cell AS VARCHAR), $zone)", {"cell": cell, "zone": zone}
    )[0]
    return None if found is None else found.astimezone(UTC)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Wed Oct 19 20:07:25 +0000 2022", datetime(2022, 10, 19, 20, 7, 25, tzinfo=UTC)),
        ("Wed, 19 Oct 2022 20:07:25 +0200", datetime(2022, 10, 19, 18, 7, 25, tzinfo=UTC)),
        ("2021-04-08T19:34:16.000Z", datetime(2021, 4, 8, 19, 34, 16, tzinfo=UTC)),
        ("2021-04-08t19:34:16z", datetime(2021, 4, 8, 19, 34, 16, tzinfo=UTC)),
        ("2021-04-08T19:34:16-04:00", datetime(2021, 4, 8, 23, 34, 16, tzinfo=UTC)),
        ("2021-04-08 19:34:16.123456+0530", datetime(2021, 4, 8, 14, 4, 16, 123456, tzinfo=UTC)),
        ("2021-04-08 19:34:16+00", datetime(2021, 4, 8, 19, 34, 16, tzinfo=UTC)),
        ("1341100972", datetime(2012, 7, 1, 0, 2, 52, tzinfo=UTC)),
        (" 1341100972.5 ", datetime(2012, 7, 1, 0, 2, 52, 500000, tzinfo=UTC)),
        ("1341100972123", datetime(2012, 7, 1, 0, 2, 52, 123000, tzinfo=UTC)),
        ("1341100972123456", datetime(2012, 7, 1, 0, 2, 52, 123456, tzinfo=UTC)),
        ("1341100972123456789", datetime(2012, 7, 1, 0, 2, 52, 123456, tzinfo=UTC)),
        ("2021-08-12 10:00:00 CEST", datetime(2021, 8, 12, 8, tzinfo=UTC)),
        ("2021-08-12 10:00:00 EDT", datetime(2021, 8, 12, 14, tzinfo=UTC)),
        ("24-02-2015 11.35", datetime(2015, 2, 24, 11, 35, tzinfo=UTC)),
        ("24.02.2015 11:35:07", datetime(2015, 2, 24, 11, 35, 7, tzinfo=UTC)),
        ("44420.4166666667", datetime(2021, 8, 12, 10, tzinfo=UTC)),
        ("44420", datetime(2021, 8, 12, tzinfo=UTC)),
        ("2021-08-12", datetime(2021, 8, 12, tzinfo=UTC)),
    ],
)
def test_reads_every_shape(session: Session, cell: str, expected: datetime) -> None:
    assert moment(session, cell) == expected


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2021-08-12 10:00:00", "Europe/Berlin", datetime(2021, 8, 12, 8, tzinfo=UTC)),
        ("2021-01-12T10:00", "Europe/Berlin", datetime(2021, 1, 12, 9, tzinfo=UTC)),
        ("24-02-2015 11.35", "Asia/Shanghai", datetime(2015, 2, 24, 3, 35, tzinfo=UTC)),
        ("2021-08-12T10:00:00Z", "Europe/Berlin", datetime(2021, 8, 12, 10, tzinfo=UTC)),
        ("1341100972", "Europe/Berlin", datetime(2012, 7, 1, 0, 2, 52, tzinfo=UTC)),
    ],
)
def test_local_times_are_read_in_the_zone_given(
    session: Session, cell: str, zone: str, expected: datetime
) -> None:
    assert moment(session, cell, zone) == expected


@pytest.mark.parametrize(
    "cell", [None, "", " ", "0", "0.0", "null", "NaN", "None", "1970-01-01T00:00:00Z"]
)
def test_unknown_is_null_and_no_fault(session: Session, cell: str | None) -> None:
    (timeless, found) = session.run(
        "SELECT timeless(CAST($cell AS VARCHAR)), moment(CAST($cell AS VARCHAR), 'UTC')",
        {"cell": cell},
    )[0]
    assert (timeless, found) == (True, None)


@pytest.mark.parametrize(
    "cell",
    [
        "soon",
        "02/03/2021 10:00",  # February or March?
        "2021-02-30",
        "2021-13-01T00:00:00Z",
        "1021-01-01",
        "9021-01-01T00:00:00Z",
        "infinity",
        "epoch",
        "17",
        "1.341100972E9",
        "12345678901",  # between seconds and milliseconds
        "2021-08-12 10:00:00 IST",  # India, Israel or Ireland
    ],
)
def test_unreadable_is_a_fault(session: Session, cell: str) -> None:
    (timeless, found) = session.run("SELECT timeless($cell), moment($cell, 'UTC')", {"cell": cell})[
        0
    ]
    assert (timeless, found) == (False, None)


def test_a_column_without_any_time_stays_empty(session: Session) -> None:
    session.run("CREATE OR REPLACE TEMP TABLE nothing AS SELECT CAST(NULL AS VARCHAR) AS cell")
    assert session.run("SELECT moment(cell, 'Europe/Berlin') FROM nothing") == [(None,)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(us=st.integers(10**15, 7 * 10**15))
def test_iso_and_unix_time_come_back(session: Session, us: int) -> None:
    when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
    cells = [when.isoformat(), str(us)]
    assert [moment(session, cell) for cell in cells] == [when, when]
