"""What a server or the way to it may do wrong is told in three lines, soon, without secrets."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends.neo4j.driver import Link, Work
from engine.errors import (
    AccessDenied,
    KindredError,
    MissingProcedure,
    OutOfMemory,
    ServerAway,
    ServerError,
    StoreMissing,
    UsageError,
)
from engine.server import Server
from tests.servers.fixtures import NewVictim
from tests.servers.server import Neo4jServer

SECRET = "sesame-do-not-print"  # noqa: S105 - a word to look for
FOREVER = "UNWIND range(1, 1000000000) AS x WITH x WHERE x % 7 = 1 RETURN sum(sin(x)) AS s"
SMALL = {"db.memory.transaction.max": "64m"}
"""What one transaction may take, so that too much is soon reached."""
SET = "set KINDRED_NEO4J_USER and KINDRED_NEO4J_PASSWORD, or KINDRED_NEO4J_PASSWORD_FILE"


@contextmanager
def linked(address: str, server: Server) -> Iterator[Link]:
    link = Link(address, server)
    try:
        yield link
    finally:
        link.close()


@pytest.fixture
def link(neo4j: Neo4jServer) -> Iterator[Link]:
    with linked(neo4j.address, neo4j.settings(patience=5)) as opened:
        yield opened


def fault(address: str, server: Server, within: float = 5.0) -> KindredError:
    """Return what the first question to a server raises, soon."""
    start = time.monotonic()
    with linked(address, server) as link, pytest.raises(KindredError) as told:
        link.check("to load a.csv")
    assert time.monotonic() - start < within
    assert told.value.wanted == "to load a.csv"
    return told.value


# The way to the server --------------------------------------------------------------------


@pytest.fixture
def ear() -> Iterator[Callable[[bytes | None], int]]:
    """Listen on a port, and answer with these bytes, or with nothing at all."""
    opened: list[socket.socket] = []

    def listen(answer: bytes | None) -> int:
        one = socket.create_server(("127.0.0.1", 0))
        opened.append(one)
        if answer is not None:
            threading.Thread(target=serve, args=(one, answer), daemon=True).start()
        return int(one.getsockname()[1])

    def serve(one: socket.socket, answer: bytes) -> None:
        while True:
            try:
                caller, _ = one.accept()
            except OSError:
                return
            with caller:
                caller.recv(1_000)
                caller.sendall(answer)

    yield listen
    for one in opened:
        one.close()


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_nobody_listens(scheme: str) -> None:
    """Told at once, however patient: a server that never answered is not waited for."""
    told = fault(f"{scheme}://127.0.0.1:1", Server(user="ana", password=SECRET, patience=600))
    assert type(told) is ServerAway
    assert told.found == f"{scheme}://127.0.0.1:1: connection refused"
    assert told.todo == "start the server, or correct the address with --store"


def test_there_is_no_such_host() -> None:
    told = fault("neo4j://no-such-host.invalid:7687", Server(patience=600), within=30)
    assert type(told) is ServerAway
    assert told.found == "neo4j://no-such-host.invalid:7687: there is no host of that name"


def test_something_listens_that_never_answers(ear: Callable[[bytes | None], int]) -> None:
    address = f"bolt://127.0.0.1:{ear(None)}"
    told = fault(address, Server(patience=1))
    assert type(told) is ServerAway
    assert told.found == f"{address}: it did not answer in time"
    assert told.todo.endswith("or raise KINDRED_NEO4J_PATIENCE")


def test_something_else_listens(ear: Callable[[bytes | None], int]) -> None:
    told = fault(f"bolt://127.0.0.1:{ear(b'HTTP/1.1 400 Bad Request')}", Server(patience=1))
    assert type(told) is ServerAway
    assert "looks like HTTP" in told.found


# Who asks ---------------------------------------------------------------------------------


def test_a_wrong_password_and_none(
    neo4j: Neo4jServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The name is one of nobody's: wrong passwords of the tests' own would lock it out."""
    with caplog.at_level(logging.DEBUG, logger="neo4j"):
        told = fault(neo4j.address, Server(user="nobody", password=SECRET))
        assert type(told) is AccessDenied
        assert told.todo == SET
        assert told.found == (
            "the server does not know this name and password"
            " (Neo.ClientError.Security.Unauthorized)"
        )
        none = fault(neo4j.address, Server())
        assert none.found == (
            "the server asks for a name and a password (Neo.ClientError.Security.Unauthorized)"
        )
    logged = caplog.text + "".join(capfd.readouterr())
    assert "LOGON" in logged
    with linked(neo4j.address, Server(user="nobody", password=SECRET)) as opened:
        for said in (logged, str(told), repr(told), repr(opened), str(vars(opened))):
            assert SECRET not in said


def test_a_first_password(neo4j: Neo4jServer) -> None:
    with neo4j.driver.session(database="system") as session:
        session.run("CREATE USER newcomer SET PASSWORD $it CHANGE REQUIRED", it=SECRET).consume()
        try:
            told = fault(neo4j.address, Server(user="newcomer", password=SECRET))
        finally:
            session.run("DROP USER newcomer").consume()
    assert type(told) is AccessDenied
    assert told.found == (
        "the password has expired, or is the first one, which must be changed"
        " (Neo.ClientError.Security.CredentialsExpired)"
    )
    assert told.todo.startswith("set a new one in the database system: ALTER CURRENT USER")


def test_an_unknown_database(neo4j: Neo4jServer) -> None:
    told = fault(neo4j.address, neo4j.settings(database="nosuch"))
    assert type(told) is StoreMissing
    assert told.todo == "name one that exists with --database"
    assert "nosuch" in told.found


# What is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error", "found", "todo"),
    [
        (
            "RETRUN 1",
            UsageError,
            "Invalid input 'RETRUN' (line 1, column 1) (Neo.ClientError.Statement.SyntaxError)",
            "correct the statement",
        ),
        (
            "RETURN $x",
            UsageError,
            "Expected parameter(s): x (Neo.ClientError.Statement.ParameterMissing)",
            "correct the statement or its parameters",
        ),
        (
            "CREATE (:Morsel)",
            UsageError,
            (
                "Writing in read access mode not allowed. Attempted write to neo4j"
                " (Neo.ClientError.Statement.AccessMode)"
            ),
            "ask without writing: this was begun to read",
        ),
        (
            "CALL no.such.procedure()",
            MissingProcedure,
            "There is no procedure with the name `no.such.procedure` registered",
            "install what has it, or do without: --engine local",
        ),
    ],
)
def test_a_statement_that_cannot_be(
    link: Link, text: str, error: type[KindredError], found: str, todo: str
) -> None:
    with pytest.raises(KindredError) as told:
        link.read(text, wanted="to look at fruit")
    assert type(told.value) is error
    assert told.value.found.startswith(found)
    assert (told.value.wanted, told.value.todo) == ("to look at fruit", todo)
    assert link.read("MATCH (f:Morsel) RETURN count(f) AS fruit").one("fruit") == 0


def test_what_takes_too_long_is_ended_on_the_server(neo4j: Neo4jServer) -> None:
    impatient = replace(neo4j.settings(), timeout=0.5)
    with linked(neo4j.address, impatient) as link:
        ways: list[Callable[[], object]] = [
            lambda: link.read(FOREVER),
            lambda: link.write(f"CREATE (:Morsel) WITH 1 AS one {FOREVER}"),
            lambda: link.alone(FOREVER, wanted="to count"),
            lambda: link.read(FOREVER, timeout=0.2),
        ]
        for way in ways:
            with pytest.raises(
                ServerError, match="it was not done within the time allowed"
            ) as told:
                way()
            assert told.value.todo == "raise KINDRED_NEO4J_TIMEOUT, in seconds"
    assert neo4j.run("MATCH (f:Morsel) RETURN count(f) AS fruit") == [{"fruit": 0}]
    running = neo4j.run("SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS 'sin(x)'")
    assert [r for r in running if "SHOW" not in r["currentQuery"]] == []


def test_a_transaction_holds_together_or_not_at_all(neo4j: Neo4jServer, link: Link) -> None:
    def half(work: Work) -> None:
        work.run("CREATE (:Morsel {kind: 'fig'})")
        work.run("RETURN 1 / 0")

    with pytest.raises(UsageError, match=r"/ by zero"):
        link.writing(half, wanted="to add fruit")
    assert neo4j.run("MATCH (f:Morsel) RETURN count(f) AS fruit") == [{"fruit": 0}]


def test_transactions_that_block_each_other_are_tried_again(
    neo4j_empty: Neo4jServer, link: Link
) -> None:
    """Two that take the same two nodes in opposite order: the server ends one of them."""
    neo4j_empty.run("UNWIND ['fig', 'pear'] AS kind CREATE (:Meal {kind: kind, eaten: 0})")
    both_hold_one = threading.Barrier(2)
    tries = 0

    def eat(kinds: tuple[str, str]) -> Callable[[Work], None]:
        def work(work: Work) -> None:
            nonlocal tries
            tries += 1
            first_time = tries <= 2
            for kind in kinds:
                work.run("MATCH (f:Meal {kind: $kind}) SET f.eaten = f.eaten + 1", {"kind": kind})
                if first_time and kind == kinds[0]:
                    both_hold_one.wait(10)

        return work

    orders = (("fig", "pear"), ("pear", "fig"))
    jobs = [lambda o=order: link.writing(eat(o), wanted="to eat") for order in orders]
    assert list(link.side_by_side(jobs)) == [None, None]
    assert tries == 3
    assert neo4j_empty.run("MATCH (f:Meal) RETURN f.eaten AS eaten") == [{"eaten": 2}] * 2


def test_a_link_to_read_writes_nothing(neo4j: Neo4jServer) -> None:
    reader = Link(neo4j.address, neo4j.settings(), read_only=True)
    with pytest.raises(UsageError, match="opened read-only"):
        reader.write("CREATE (:Morsel)")
    with pytest.raises(UsageError, match="opened read-only"):
        reader.alone("CREATE (:Morsel)", wanted="to add fruit")
    assert reader.read("MATCH (f:Morsel) RETURN count(f) AS fruit").one("fruit") == 0
    reader.close()


def test_a_fault_of_this_machine_is_not_one_of_the_server(link: Link) -> None:
    def full(work: Work) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        link.reading(full, wanted="to copy")


def test_no_more_transactions_than_allowed(neo4j: Neo4jServer) -> None:
    open_now = most = 0
    count = threading.Lock()

    def slow(work: Work) -> int:
        nonlocal open_now, most
        with count:
            open_now += 1
            most = max(most, open_now)
        work.run("RETURN 1")
        time.sleep(0.05)
        with count:
            open_now -= 1
        return 1

    with linked(neo4j.address, neo4j.settings(transactions=2)) as link:
        jobs = [lambda: link.reading(slow, wanted="to look")] * 8
        assert sum(link.side_by_side(jobs, most=8)) == 8
    assert most == 2
    narrow = replace(neo4j.settings(transactions=1), timeout=0.3)
    with linked(neo4j.address, narrow) as link:

        def nested(work: Work) -> object:
            return link.read("RETURN 1")

        with pytest.raises(ServerError, match="all 1 that may be open at once are busy") as told:
            link.reading(nested, wanted="to look")
        assert told.value.todo == "run it again, or raise KINDRED_NEO4J_TRANSACTIONS"


# A server of one's own: TLS, little memory ------------------------------------------------


def test_tls_is_checked_against_the_authority_that_is_named(
    neo4j_victims: NewVictim, tmp_path: Path
) -> None:
    """And, on the same server, what does not fit its memory is tried twice, not for long."""
    victim = neo4j_victims(gds=False, tls=True, settings=SMALL)
    own = victim.server.settings(patience=4)
    rest = f"127.0.0.1:{victim.port}"
    for scheme in ("bolt+s", "neo4j+s"):
        told = fault(f"{scheme}://{rest}", own)
        assert type(told) is ServerAway
        assert told.found == (
            f"{scheme}://{rest}: its certificate is not trusted: self-signed certificate"
        )
        assert told.todo.startswith("name the file of the authority that signed it in KINDRED_N")
    trusting = replace(own, authorities=str(victim.certificate))
    for scheme in ("bolt+s", "neo4j+s", "bolt", "neo4j"):
        with linked(f"{scheme}://{rest}", trusting) as link:
            link.check()
    with linked(f"neo4j+ssc://{rest}", own) as link:
        link.check()
        with pytest.raises(OutOfMemory, match=r"memory\.transaction\.(total\.)?max") as short:
            link.read("UNWIND range(1, 10000000) AS x RETURN collect(x) AS xs")
        assert short.value.todo == "give the server more memory; its message names the limit"
        link.check()
    plain = fault(f"bolt://{rest}", own)
    assert type(plain) is ServerAway
    nowhere = tmp_path / "ca.pem"
    with pytest.raises(UsageError, match="there is no file"):
        Link(f"bolt://{rest}", replace(own, authorities=str(nowhere)))
    nowhere.write_text("no certificate\n")
    broken = fault(f"bolt://{rest}", replace(own, authorities=str(nowhere)))
    assert type(broken) is ServerAway
    assert broken.todo.endswith("must hold certificates in PEM")
