"""Runs and their store, with work written here in place of the desk's."""

from __future__ import annotations

import asyncio
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.problems import Busy, KeyReused, Problem
from api.run_store import KEY_LIFETIME, Claim, Event, Outcome, Reply, RunRequest, RunStore
from api.runs import Run, Runs
from api.threads import ThreadStore
from engines.domain.clock import ManualClock
from engines.errors import InvalidRequest, NotFound, VenueUnavailable

pytestmark = pytest.mark.anyio


def request(
    message: str = "hello", *, owner: str = "ada", thread_id: str = "", claim: Claim | None = None
) -> RunRequest:
    thread = thread_id or str(uuid.uuid4())
    return RunRequest(kind="message", owner=owner, thread_id=thread, subject=message, title=message, claim=claim)


async def echo(run: Run) -> tuple[Outcome, Reply | None]:
    run.emit("run", {"run_id": run.record.id})
    run.emit("token", {"text": run.record.subject})
    return Outcome("completed", {"reply": run.record.subject}), Reply(run.record.subject, {"receipts": []})


def failure(run: Run, problem: Problem) -> tuple[Outcome, Reply | None]:
    return Outcome("failed", {"error": problem.model_dump(mode="json")}), None


@pytest.fixture
def store(database: Engine, clock: ManualClock) -> RunStore:
    return RunStore(database, clock)


async def watched(runs: Runs, request_: RunRequest, *, after: int = 0) -> list[Event]:
    record = await runs.start(request_, work=echo, failure=failure)
    return [event async for event in runs.watch(record, after=after)]


async def test_events_are_numbered_from_one_without_a_gap_and_end_with_done(store: RunStore) -> None:
    events = await watched(Runs(store), request("hello"))
    assert [(event.number, event.name) for event in events] == [(1, "run"), (2, "token"), (3, "done")]
    assert json.loads(events[-1].data) == {"status": "completed"}


async def test_a_run_that_ended_is_watched_from_the_database(store: RunStore) -> None:
    live = await watched(Runs(store), request("hello"))
    run_id = json.loads(live[0].data)["run_id"]
    restarted = Runs(store)
    record = await asyncio.to_thread(store.get, run_id, "ada")
    assert [event async for event in restarted.watch(record, after=0)] == live
    assert [event.number async for event in restarted.watch(record, after=1)] == [2, 3]
    assert (await restarted.outcome(record)).body == {"reply": "hello"}


async def test_nobody_watching_does_not_stop_a_run_and_many_watchers_see_the_same(store: RunStore) -> None:
    runs, go_on = Runs(store), asyncio.Event()

    async def slow(run: Run) -> tuple[Outcome, Reply | None]:
        for number in range(50):
            run.emit("token", {"text": str(number)})
            if number == 25:
                await go_on.wait()
        return Outcome("completed", {}), None

    record = await runs.start(request(), work=slow, failure=failure)
    first = runs.watch(record, after=0)
    assert (await anext(first)).number == 1
    await first.aclose()  # type: ignore[attr-defined]  # the watcher leaves
    go_on.set()

    async def all_numbers() -> list[int]:
        return [event.number async for event in runs.watch(record, after=0)]

    watchers = await asyncio.gather(*(all_numbers() for _ in range(10)))
    assert watchers == [list(range(1, 52))] * 10


async def test_events_from_other_threads_keep_their_order(store: RunStore) -> None:
    async def threaded(run: Run) -> tuple[Outcome, Reply | None]:
        def step() -> None:
            for number in range(200):
                run.emit("token", {"text": str(number)})

        await asyncio.to_thread(step)
        return Outcome("completed", {}), None

    runs = Runs(store)
    record = await runs.start(request(), work=threaded, failure=failure)
    texts = [json.loads(event.data).get("text") async for event in runs.watch(record, after=0)]
    assert texts == [*(str(number) for number in range(200)), None]


async def test_a_repeated_request_joins_the_first_run_while_it_goes_on_and_after(store: RunStore) -> None:
    runs, go_on, started = Runs(store), asyncio.Event(), 0

    async def once(run: Run) -> tuple[Outcome, Reply | None]:
        nonlocal started
        started += 1
        await go_on.wait()
        return Outcome("completed", {"n": started}), None

    again = request(claim=Claim("k", "f"))
    records = await asyncio.gather(*(runs.start(again, work=once, failure=failure) for _ in range(5)))
    assert len({record.id for record in records}) == 1
    go_on.set()
    outcomes = await asyncio.gather(*(runs.outcome(record) for record in records))
    late = await Runs(store).start(again, work=once, failure=failure)
    assert {json.dumps(outcome.body) for outcome in outcomes} == {'{"n": 1}'}
    assert (await Runs(store).outcome(late)).body == {"n": 1}
    assert started == 1


async def test_a_key_is_bound_to_its_request_and_owner_for_a_day(store: RunStore, clock: ManualClock) -> None:
    runs = Runs(store)
    first = await runs.start(request("a", claim=Claim("k", "one")), work=echo, failure=failure)
    with pytest.raises(KeyReused, match="different request"):
        await runs.start(request("b", claim=Claim("k", "two")), work=echo, failure=failure)
    other = await runs.start(request("a", owner="bob", claim=Claim("k", "one")), work=echo, failure=failure)
    clock.advance(KEY_LIFETIME)
    next_day = await runs.start(request("a", claim=Claim("k", "one")), work=echo, failure=failure)
    assert len({first.id, other.id, next_day.id}) == 3
    await runs.close()


async def test_more_runs_than_the_desk_takes_are_turned_away_until_one_ends(store: RunStore) -> None:
    runs, go_on = Runs(store, most_at_once=2), asyncio.Event()

    async def waiting(run: Run) -> tuple[Outcome, Reply | None]:
        await go_on.wait()
        return Outcome("completed", {}), None

    records = [await runs.start(request(), work=waiting, failure=failure) for _ in range(2)]
    with pytest.raises(Busy, match="2 runs are going on"):
        await runs.start(request(), work=waiting, failure=failure)
    go_on.set()
    for record in records:
        await runs.outcome(record)
    assert (await runs.outcome(await runs.start(request(), work=waiting, failure=failure))).status == "completed"


async def test_of_many_processes_that_claim_a_key_at_once_one_begins_the_run(store: RunStore) -> None:
    same = request(claim=Claim("k", "f"))
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: store.begin(same), range(8)))
    assert [new for _, new in begun].count(True) == 1
    assert len({record.id for record, _ in begun}) == 1


async def test_what_a_run_raises_becomes_its_error_and_nothing_inside_leaks(
    store: RunStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def outage(run: Run) -> tuple[Outcome, Reply | None]:
        raise VenueUnavailable("Kraken does not answer.", remedy="Try again soon.")

    async def bug(run: Run) -> tuple[Outcome, Reply | None]:
        raise ZeroDivisionError("secret-internals")

    runs = Runs(store)
    problems = []
    for work in (outage, bug):
        record = await runs.start(request(), work=work, failure=failure)
        events = [event async for event in runs.watch(record, after=0)]
        assert [event.name for event in events] == ["error", "done"]
        problems.append((await runs.outcome(record)).body["error"])
    assert (problems[0]["code"], problems[0]["status"], problems[0]["remedy"]) == (
        "venue_unavailable",
        503,
        "Try again soon.",
    )
    assert problems[1]["code"] == "internal_error"
    assert "secret-internals" not in json.dumps(problems[1])
    assert "secret-internals" in caplog.text
    assert problems[1]["detail"].split("reference ")[1][:8] in caplog.text


async def test_a_stop_waits_for_work_and_then_ends_the_rest_as_interrupted(store: RunStore) -> None:
    async def quick(run: Run) -> tuple[Outcome, Reply | None]:
        await asyncio.sleep(0.05)
        return Outcome("completed", {}), None

    async def endless(run: Run) -> tuple[Outcome, Reply | None]:
        await asyncio.sleep(3600)
        raise AssertionError

    runs = Runs(store)
    done = await runs.start(request(), work=quick, failure=failure)
    cut = await runs.start(request(), work=endless, failure=failure)
    await runs.close(grace_seconds=0.5)
    assert (await runs.outcome(done)).status == "completed"
    outcome = await runs.outcome(cut)
    assert (outcome.status, outcome.body["error"]["code"]) == ("failed", "interrupted")
    assert store.unfinished() == ()
    assert [event.name for event in store.events(cut.id)] == ["error", "done"]


async def test_a_thread_keeps_its_messages_in_order_and_its_title_from_the_first(
    store: RunStore, database: Engine
) -> None:
    runs, thread_id = Runs(store), str(uuid.uuid4())
    long = "How does  BTC\nlook on the four hour chart today, and what about the daily one?"
    for message in (long, "and eth?"):
        await watched(runs, request(message, thread_id=thread_id))
    threads = ThreadStore(database)
    assert threads.get(thread_id, "ada").title == "How does BTC look on the four hour chart today, and what ab…"
    found, more = threads.messages(thread_id, limit=10, cursor=None)
    assert [(message.role, message.text) for message in found] == [
        ("user", long),
        ("assistant", long),
        ("user", "and eth?"),
        ("assistant", "and eth?"),
    ]
    assert more is None
    assert found[1].extras == {"receipts": []}


async def test_messages_are_paged_back_from_the_newest(store: RunStore, database: Engine) -> None:
    runs, thread_id, threads = Runs(store), str(uuid.uuid4()), ThreadStore(database)
    for number in range(4):
        await watched(runs, request(str(number), thread_id=thread_id))
    newest, cursor = threads.messages(thread_id, limit=5, cursor=None)
    older, end = threads.messages(thread_id, limit=5, cursor=cursor)
    assert [message.text for message in older + newest] == [text for n in range(4) for text in (str(n), str(n))]
    assert end is None


async def test_threads_are_paged_by_last_use_and_belong_to_their_owner(
    store: RunStore, database: Engine, clock: ManualClock
) -> None:
    runs, threads = Runs(store), ThreadStore(database)
    ids = [str(uuid.uuid4()) for _ in range(5)]
    for thread_id in ids:
        await watched(runs, request(thread_id=thread_id))
    clock.advance(timedelta(seconds=1))
    await watched(runs, request(thread_id=ids[2]))
    await watched(runs, request(owner="bob"))
    seen, cursor = [], None
    while True:
        page, cursor = threads.page("ada", limit=2, cursor=cursor)
        seen += [thread.id for thread in page]
        if cursor is None:
            break
    assert seen[0] == ids[2]
    assert sorted(seen) == sorted(ids)
    with pytest.raises(NotFound):
        threads.get(ids[0], "bob")


@pytest.mark.parametrize("cursor", ["x", "", "bm9wZQ", "MjAyNi0wMy0wMgp4", "é"])
async def test_a_made_up_cursor_is_refused(database: Engine, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="not a cursor"):
        ThreadStore(database).page("ada", limit=2, cursor=cursor)
    with pytest.raises(InvalidRequest, match="not a cursor"):
        ThreadStore(database).messages("t", limit=2, cursor=cursor)


async def test_another_owners_thread_and_run_are_not_there(store: RunStore) -> None:
    runs = Runs(store)
    mine = await runs.start(request(), work=echo, failure=failure)
    await runs.outcome(mine)
    with pytest.raises(NotFound, match="no thread"):
        await runs.start(request(owner="bob", thread_id=mine.thread_id), work=echo, failure=failure)
    with pytest.raises(NotFound, match="no run"):
        store.get(mine.id, "bob")


async def test_deleting_a_thread_takes_everything_of_it_along(store: RunStore, database: Engine) -> None:
    runs, threads = Runs(store), ThreadStore(database)
    record = await runs.start(request(claim=Claim("k", "f")), work=echo, failure=failure)
    await runs.outcome(record)
    threads.delete(record.thread_id, "bob")
    assert threads.get(record.thread_id, "ada").id == record.thread_id
    threads.delete(record.thread_id, "ada")
    with pytest.raises(NotFound):
        threads.get(record.thread_id, "ada")
    with pytest.raises(NotFound):
        store.get(record.id, "ada")
    assert store.events(record.id) == ()
    assert store.begin(request(claim=Claim("k", "f")))[1]


async def test_old_events_and_keys_are_dropped_and_answers_stay(store: RunStore, clock: ManualClock) -> None:
    runs = Runs(store)
    record = await runs.start(request("keep", claim=Claim("k", "f")), work=echo, failure=failure)
    await runs.outcome(record)
    clock.advance(timedelta(days=31))
    store.prune()
    assert store.events(record.id) == ()
    assert (await Runs(store).outcome(store.get(record.id, "ada"))).body == {"reply": "keep"}


async def test_a_full_disk_does_not_keep_the_answer_from_whoever_waits(tmp_path: Path, clock: ManualClock) -> None:
    from engines.storage.database import open_database

    engine = open_database("desk", home=tmp_path)
    runs, go_on = Runs(RunStore(engine, clock)), asyncio.Event()

    async def work(run: Run) -> tuple[Outcome, Reply | None]:
        await go_on.wait()
        run.emit("token", {"text": "x"})
        return Outcome("completed", {"reply": "x"}), None

    record = await runs.start(request(), work=work, failure=failure)
    engine.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table run_events")
    go_on.set()
    assert (await runs.outcome(record)).body == {"reply": "x"}
    engine.dispose()
