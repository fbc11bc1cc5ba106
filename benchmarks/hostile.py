"""How long /healthz waits while somebody sends what is made to hold everybody up."""

import http.client
import json
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from app.db import Database
from app.db.schema import migrate
from tests.fixtures.process import Served, served
from tests.fixtures.service import add_accounts

SENDERS = 3
"""Connections over which each body is sent again and again."""
SECONDS = 2.5
"""How long each body is sent."""
EVERY = 0.02
"""Seconds between two looks at /healthz."""
PATIENCE = 10
"""Seconds after which a sender gives an answer up."""
LIMIT = 600
"""Requests a minute from one caller, where the requests are made-up tokens."""
MIB = 2**20
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}


@dataclass(frozen=True)
class Attack:
    """A request that is sent again and again.

    Attributes:
        kind: The kind of fault that it was found as.
        name: What the table calls it.
        path: Where it is sent.
        body: What is sent.
        headers: Those that say what it is.
        method: Its method.
        is_known: Whether it comes with a token that is known.
        makes_up: A header that is another one each time.

    """

    kind: str
    name: str
    path: str = "/api/v1/match"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"
    is_known: bool = False
    makes_up: str = ""


def many(item: str, size: int = MIB, around: str = '{"cities":[%s]}') -> bytes:
    """Return a body of nearly so many bytes that repeats an item."""
    times = (size - len(around)) // (len(item) + 1)
    return (around % ",".join([item] * times)).encode()


def _bodies() -> Iterator[Attack]:
    fields = "{" + ",".join(f'"k{at}":1' for at in range(190)) + "}"
    listed = '{"cities":[],"%s":[%%s]}'
    one = '{"id":"c","name":"c","country":"BE","roles":["mentor"],"areas":%s}'
    veto, area = '{"city":"a","partner":"b"}', '{"housing":{"need":1}}'
    yield Attack("S1", "1 MiB of {} for cities", body=many("{}"))
    yield Attack("S1", "64 KiB of {} for cities", body=many("{}", MIB // 16))
    yield Attack("S1", "1 MiB of [] for cities", body=many("[]"))
    yield Attack(
        "S1", "1 MiB of {} for history", body=many("{}", MIB, listed % "history")
    )
    yield Attack(
        "S1", "1 MiB of unknown vetoes", body=many(veto, MIB, listed % "vetoes")
    )
    yield Attack("S1", "1 MiB of unknown areas", body=many(one % fields))
    yield Attack("S1", "1 MiB of right cities, all alike", body=many(one % area))
    yield Attack("S1", "1 MiB of fields", body=many('"k":1', MIB, "{%s}"))
    distinct = ",".join(f'"{at:06}":1' for at in range(MIB // 12))
    yield Attack("S1", "1 MiB of different fields", body=f"{{{distinct}}}".encode())
    escapes = many(r'"\\\\\\\\\\\\\\\\\\\\"', MIB, r'{"cities":["\\u0000",%s]}')
    yield Attack("S1", "1 MiB of escaped backslashes", body=escapes)
    yield Attack("S1", "1 MiB of numbers", body=many("9" * 4_000))
    yield Attack("S1", "500,000 lists in each other", body=b"[" * (MIB // 2))
    put = partial(Attack, method="PUT", headers=JSON | {"If-Match": "*"})
    policy = '{"bans":[%s]}'
    yield put(
        "S1",
        "1 MiB of {} for bans, by a made-up token",
        "/api/v1/rounds/r/policy",
        many("{}", MIB, policy),
        makes_up="Authorization",
    )
    yield put(
        "S1",
        "1 MiB of {} for bans, by an organiser",
        "/api/v1/rounds/r/policy",
        many("{}", MIB, policy),
        is_known=True,
    )
    yield Attack(
        "S1",
        "1 MiB of 1 for events, by an organiser",
        "/api/v1/webhooks",
        many("1", MIB, '{"events":[%s]}'),
        is_known=True,
    )
    yield Attack(
        "S1",
        "a form of 1 MiB of %41",
        "/sign-in",
        b"email=" + b"%41" * (MIB // 3 - 9),
        FORM,
    )
    yield Attack(
        "S1", "a form of 260,000 fields", "/sign-in", b"a=1&" * (MIB // 4 - 9), FORM
    )
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    yield Attack(
        "S1", "a form of 20,000 parts", "/sign-in", part * (MIB // len(part)), MULTIPART
    )
    table = "name;country;roles;needs\r\n{};Belgium;learner;{}\r\n"
    cell = table.format("A", f"housing:{' ' * 2_000}x").encode()
    yield Attack(
        "S2",
        "a cell of 2,000 blanks",
        "/api/v1/cities/import?dry_run=true",
        cell,
        {"Content-Type": "text/csv"},
        is_known=True,
    )


def _floods() -> Iterator[Attack]:
    get = partial(Attack, "S5", method="GET")
    # Each comes from a network of its own, as a proxy on this machine would say.
    networks = [{"X-Forwarded-For": f"192.0.2.{at}"} for at in range(3)]
    yield get("made-up tokens", "/version", b"", networks[0], makes_up="Authorization")
    yield get("made-up cookies", "/", b"", networks[1], makes_up="Cookie")
    yield Attack(
        "S5",
        "made-up tokens with 64 KiB",
        "/api/v1/cities",
        many("{}", MIB // 16),
        JSON | networks[2],
        makes_up="Authorization",
    )
    yield get("one /64 of IPv6", "/version", b"", {}, makes_up="X-Forwarded-For")


_MADE_UP = {
    "Authorization": "Bearer cmp_%d",
    "Cookie": "compaan=%d",
    "X-Forwarded-For": "2001:db8::%x",
}


def _send(host: str, attack: Attack, bearer: dict[str, str]) -> Counter[str]:
    """Send it over several connections for a while; return the answers by status."""
    until, answers, numbers = time.monotonic() + SECONDS, Counter[str](), count()

    def send() -> None:
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        while time.monotonic() < until:
            headers = attack.headers | (bearer if attack.is_known else {})
            if attack.makes_up:
                value = _MADE_UP[attack.makes_up] % next(numbers)
                headers |= {attack.makes_up: value}
            try:
                connection.request(attack.method, attack.path, attack.body, headers)
                answer = connection.getresponse()
                answer.read()
                answers[str(answer.status)] += 1
            except (OSError, http.client.HTTPException):
                answers["none"] += 1
                connection.close()

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _waits(host: str, sending: Future[Counter[str]] | None) -> list[float]:
    """Return how long each look at /healthz took, over a connection of its own."""
    waits, began = [], time.perf_counter()
    while time.perf_counter() - began < SECONDS or (sending and not sending.done()):
        asked = time.perf_counter()
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        waits.append(time.perf_counter() - asked)
        assert status == 200, status  # noqa: PLR2004, S101
        time.sleep(max(0, EVERY - waits[-1]))
    return waits


def _measure(
    server: Served, attacks: Iterator[Attack], pool: ProcessPoolExecutor
) -> None:
    host = server.address.split("//")[1]
    _waits(host, None)  # the first answers of a process are slow
    quiet = max(_waits(host, None))
    print(f"| | quiet | | | {quiet * 1000:.0f} | |")
    for attack in attacks:
        sending = pool.submit(_send, host, attack, server.bearer())
        worst = max(_waits(host, sending))
        answers = ", ".join(
            f"{status} × {times:,}" for status, times in sending.result().most_common()
        )
        print(
            f"| {attack.kind} | {attack.name} | {len(attack.body):,} | {answers} "
            f"| {worst * 1000:.0f} | {worst / quiet:.1f} |",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    print(f"Each is sent over {SENDERS} connections for {SECONDS} s, beside a look at")
    print(
        f"/healthz every {EVERY * 1000:.0f} ms; all on one machine. One caller may send"
    )
    print(f"{LIMIT} requests a minute in the rows of S5, as many as they like above.\n")
    print("| kind | what is sent | bytes | answers | worst wait (ms) | × quiet |")
    print("|---|---|---|---|---|---|")
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=context) as pool,
    ):
        pool.submit(json.dumps, 1).result()  # it has started
        url = f"sqlite:///{folder}/bench.db"
        database = Database(url)
        migrate(database)
        tokens = add_accounts(database)
        database.close()
        with served(url, tokens, match_per_minute="1000000") as server:
            _measure(server, _bodies(), pool)
        with served(url, tokens, requests_per_minute=str(LIMIT)) as server:
            _measure(server, _floods(), pool)
