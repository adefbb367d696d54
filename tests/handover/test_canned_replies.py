from __future__ import annotations

from pathlib import Path

import pytest

from core.accounts import Account, Role
from core.clock import FixedClock
from core.database import Database
from handover.canned_replies import CannedReply, CannedReplyStore, read_replies
from handover.errors import Changed, UnknownHandover
from knowledge.errors import ImportFailed
from tests.handover.house import House
from tests.running import ROOT

GREETING = CannedReply(title="Gruß", text="Guten Tag, hier ist {name} ({amt}).")


@pytest.fixture
def replies(house: House) -> CannedReplyStore:
    return house.staffing.canned_replies


@pytest.fixture
def supervisor(house: House) -> Account:
    return house.accounts.create(login="leitung", name="Leitung", roles=[Role.SUPERVISOR], by=None)


def test_departments_have_their_own_and_the_common_ones(replies: CannedReplyStore, supervisor: Account) -> None:
    for title, department in (("B", None), ("A", "zentrale"), ("C", "standesamt")):
        replies.put(CannedReply(title=title, text="Text", department=department), supervisor)
    assert [reply.title for reply in replies.all({"zentrale"})] == ["A", "B"]
    assert [reply.title for reply in replies.all()] == ["A", "B", "C"]


def test_of_two_who_change_it_the_second_learns_of_the_first(replies: CannedReplyStore, supervisor: Account) -> None:
    read = replies.put(GREETING, supervisor)
    changed = replies.put(read.model_copy(update={"text": "Hallo."}), supervisor)
    with pytest.raises(Changed):
        replies.put(read.model_copy(update={"text": "Moin."}), supervisor)
    assert replies.get(read.id or "") == changed
    assert (changed.text, changed.version) == ("Hallo.", 2)


def test_a_deleted_one_comes_back_within_a_day(
    replies: CannedReplyStore, supervisor: Account, clock: FixedClock
) -> None:
    id = replies.put(GREETING, supervisor).id or ""
    replies.delete(id, supervisor)
    assert replies.all() == []
    assert [reply.title for reply in replies.deleted()] == ["Gruß"]
    for act in (lambda: replies.get(id), lambda: replies.delete(id, supervisor)):
        with pytest.raises(UnknownHandover):
            act()
    clock.advance(hours=23)
    replies.expire()
    assert replies.bring_back(id, supervisor).text == GREETING.text
    replies.delete(id, supervisor)
    clock.advance(days=1)
    with pytest.raises(UnknownHandover):
        replies.bring_back(id, supervisor)
    replies.expire()
    assert (replies.all(), replies.deleted()) == ([], [])


def test_the_folders_replies_are_imported_once(
    replies: CannedReplyStore, supervisor: Account, clock: FixedClock, database: Database
) -> None:
    first = [GREETING.model_copy(update={"id": "gruss"}), CannedReply(id="ende", title="Ende", text="Auf Wiedersehen.")]
    assert replies.import_once(first) == 2
    assert replies.import_once(first) == 0
    for reply in replies.all():
        replies.delete(reply.id or "", supervisor)
    clock.advance(days=2)
    replies.expire()
    assert replies.import_once(first) == 0
    assert replies.all() == []


def test_nothing_is_imported_where_people_have_written_already(replies: CannedReplyStore, supervisor: Account) -> None:
    replies.put(GREETING, supervisor)
    assert replies.import_once([CannedReply(id="ende", title="Ende", text="Ende.")]) == 0


def test_who_changed_what_is_in_the_audit_log(replies: CannedReplyStore, supervisor: Account, house: House) -> None:
    kept = replies.put(GREETING, supervisor)
    replies.put(kept, supervisor)
    replies.delete(kept.id or "", supervisor)
    replies.bring_back(kept.id or "", supervisor)
    entries = [entry for entry in house.audit.entries() if entry.actor_login == "leitung"]
    assert [(entry.act, entry.subject) for entry in reversed(entries)] == [
        ("reply_added", "Gruß"),
        ("reply_changed", "Gruß"),
        ("reply_deleted", "Gruß"),
        ("reply_restored", "Gruß"),
    ]


def test_gaps() -> None:
    assert GREETING.filled({"name": "{amt}", "amt": "Zentrale"}) == "Guten Tag, hier ist {amt} (Zentrale)."
    assert GREETING.filled({"name": "Frau A"}) == "Guten Tag, hier ist Frau A ({amt})."
    assert GREETING.unknown_gaps() == []
    assert CannedReply(title="x", text="{name} {vorname} {}").unknown_gaps() == ["vorname", ""]


def test_search_knows_umlauts() -> None:
    reply = CannedReply(title="Führerschein", text="Die Straße ist gesperrt.")
    assert reply.matches("fuehrer STRASSE")
    assert not reply.matches("führerschein pass")


def test_mistakes_in_the_folder_are_named(tmp_path: Path) -> None:
    assert read_replies(tmp_path) == []
    (tmp_path / "canned_replies.yaml").write_text(
        "- {id: a, title: '', text: x}\n- {title: t, text: 'Hallo {du}'}\n", encoding="utf-8"
    )
    with pytest.raises(ImportFailed) as error:
        read_replies(tmp_path)
    assert [problem.split(":")[0] for problem in error.value.problems] == [
        "canned_replies.yaml (1)",
        "canned_replies.yaml (2)",
        "canned_replies.yaml (2)",
    ]


def test_the_demo_citys_replies_are_sound() -> None:
    replies = read_replies(ROOT / "training_data" / "cities" / "jena")
    assert len(replies) > 5
    assert len({reply.id for reply in replies}) == len({reply.title for reply in replies}) == len(replies)
    assert all("!" not in reply.text for reply in replies)
