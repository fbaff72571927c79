"""Who is let in at the door, and what it answers."""

import io
import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import serializers
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEvent
from apikeys.engine import tokens
from apikeys.flows.revoke import revoke_all
from apikeys.models import ApiKey, Bot, EngineToken, Handover, Scope
from apikeys.status import KeyStatus
from notifications.models import Mail
from tests.engine.conftest import bearer, make_token
from tests.engine.rows import make_ready_keys

pytestmark = pytest.mark.django_db

ID = "3f2c1e9a-0b4d-4c61-9a53-2d1f5be6a7c8"
ADDRESSES = [
    *("handovers", "handovers?after=0", "handovers/ack", f"handovers/{ID}/ack", f"handovers/{ID}/reject"),
    *("bots", "bots?bot_id=a", "", "nothing", "handovers/", "handovers/1/ack", "line%0Aend", f"{ID}/%00"),
]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"]
AT = "2026-11-23T17:46:31Z"


def ask(client: Client, method: str, path: str, **more: Any) -> Any:
    return client.generic(method, f"/engine/v1/{path}", content_type="application/json", **more)


def send(client: Client, path: str, body: Any) -> Any:
    return client.post(f"/engine/v1/{path}", body, content_type="application/json")


def verbs(key: ApiKey) -> list[str]:
    return list(AuditEvent.objects.filter(key_id=key.pk).order_by("pk").values_list("verb", flat=True))


@pytest.fixture
def ready(engine_private: str) -> list[Handover]:
    make_ready_keys(3)
    return list(Handover.objects.order_by("number").select_related("key__bot"))


@pytest.fixture
def strangers() -> dict[str, Client]:
    old, revoked = make_token(life=timedelta(seconds=-1)), make_token(name="gone")
    tokens.revoke("gone")
    live = make_token()
    return {
        "nothing": Client(),
        "garbage": bearer("garbage"),
        "a made-up token": bearer("seqe_" + "A" * 43),
        "an expired token": bearer(old),
        "a revoked token": bearer(revoked),
        "a token cut short": bearer(live[:-1]),
        "a token's digest": bearer(EngineToken.objects.latest("pk").digest),
        "another scheme": Client(headers={"Authorization": f"Basic {live}"}),
        "the token alone": Client(headers={"Authorization": live}),
        "no ASCII": Client(headers={"Authorization": "Bearer seqe_é"}),
    }


@pytest.mark.parametrize("path", ADDRESSES)
def test_it_answers_strangers_with_401_and_nothing_else(
    path: str, strangers: dict[str, Client], ready: list[Handover]
) -> None:
    for who, client in strangers.items():
        for method in METHODS:
            answer = ask(client, method, path)
            assert answer.status_code == 401, (who, method)
            assert answer["WWW-Authenticate"] == "Bearer"
            assert method == "HEAD" or answer.json()["error"]["code"] == "unauthorized"
            assert "no-store" in answer["Cache-Control"]
    assert not AuditEvent.objects.filter(verb__startswith="key_fetched").exists()


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "handovers", Scope.FETCH),
        ("POST", "handovers/ack", Scope.SETTLE),
        ("POST", f"handovers/{ID}/ack", Scope.SETTLE),
        ("POST", f"handovers/{ID}/reject", Scope.SETTLE),
        ("GET", "bots?bot_id=a", Scope.BOTS),
    ],
)
def test_it_lets_a_token_do_what_its_scopes_say(method: str, path: str, needed: Scope) -> None:
    others = [scope for scope in Scope if scope != needed]
    answer = ask(bearer(make_token(*others)), method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")
    assert ask(bearer(make_token(needed)), method, path).status_code in (200, 400, 404)


@pytest.mark.parametrize(
    ("allowed", "peer", "status"),
    [
        (["10.0.0.0/24"], "10.0.0.255", 200),
        (["10.0.0.0/24"], "10.0.1.0", 403),
        (["10.0.0.0/24"], "::ffff:10.0.0.9", 200),
        (["192.0.2.7"], "192.0.2.7", 200),
        (["192.0.2.7"], "192.0.2.8", 403),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "10.0.0.1", 403),
        (["10.0.0.0/24"], "", 403),
        ([], "198.51.100.1", 200),
    ],
)
def test_it_lets_a_token_in_from_its_addresses(allowed: list[str], peer: str, status: int) -> None:
    client = bearer(make_token(addresses=allowed))
    assert ask(client, "GET", "handovers", REMOTE_ADDR=peer).status_code == status


def test_it_believes_no_header_about_the_address(settings: Any) -> None:
    client = bearer(make_token(addresses=["10.0.0.1"]))
    answer = ask(client, "GET", "handovers", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="10.0.0.1")
    assert answer.json()["error"]["code"] == "address_not_allowed"


def test_it_keeps_no_token_in_the_database_or_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    out = io.StringIO()
    call_command("make_engine_token", "bot-1", "--address", "127.0.0.0/8", stdout=out)
    token = out.getvalue().strip()
    assert ask(bearer(token), "GET", "handovers").status_code == 200
    assert ask(bearer(token), "PUT", "handovers").status_code == 405
    assert ask(bearer(token + "x"), "GET", "handovers").status_code == 401
    made = EngineToken.objects.get()
    assert made.used_at is not None
    stored = serializers.serialize("json", EngineToken.objects.all())
    assert made.digest in stored
    assert token not in stored
    assert token.removeprefix(tokens.PREFIX) not in stored + caplog.text
    call_command("revoke_engine_token", "bot-1", stdout=out)
    assert ask(bearer(token), "GET", "handovers").status_code == 401
    with pytest.raises(CommandError):
        call_command("revoke_engine_token", "bot-1")


def test_it_names_the_methods_of_an_address(door: Client) -> None:
    answer = ask(door, "DELETE", "handovers")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert ask(door, "POST", "nothing").status_code == 404


def test_it_gives_pages_of_500(door: Client, engine_private: str) -> None:
    make_ready_keys(501)
    first = ask(door, "GET", "handovers").json()
    assert len(first["handovers"]) == 500
    numbers = [item["number"] for item in first["handovers"]]
    assert numbers == sorted(numbers)
    assert first["next_after"] == numbers[-1]
    second = ask(door, "GET", f"handovers?after={first['next_after']}").json()
    assert len(second["handovers"]) == 1
    assert second["next_after"] is None
    acks = [{"id": item["id"], "taken_over_at": AT} for item in first["handovers"]]
    assert {found["state"] for found in send(door, "handovers/ack", {"acks": acks}).json()["results"]} == {
        "acked"
    }
    assert ApiKey.objects.active().count() == 501
    assert ApiKey.objects.active().filter(replaces__status=KeyStatus.RETIRED).count() == 500
    assert Mail.objects.filter(kind="api_refresh").count() == 500
    too_many = [*acks, {"id": ID, "taken_over_at": AT}]
    assert send(door, "handovers/ack", {"acks": too_many}).status_code == 400


def test_it_writes_each_first_time_down_once(door: Client, ready: list[Handover]) -> None:
    taken, rejected, ended = ready
    for _ in range(2):
        assert len(ask(door, "GET", "handovers").json()["handovers"]) == 3
    for _ in range(2):
        send(door, f"handovers/{taken.id}/ack", {"taken_over_at": AT})
        answer = send(door, f"handovers/{rejected.id}/reject", {"reason": "cannot_open"})
        assert answer.json()["state"] == "rejected"
    assert verbs(taken.key) == ["key_fetched", "key_taken_over", "key_activated"]
    assert verbs(rejected.key) == ["key_fetched", "key_rejected"]
    assert Mail.objects.filter(kind="api_rejected").count() == 1
    assert {event.address for event in AuditEvent.objects.filter(verb="key_fetched")} == {"127.0.0.1"}

    list(revoke_all(exchange="binance"))
    for _ in range(2):
        page = ask(door, "GET", "handovers").json()["handovers"]
        assert {item["kind"] for item in page} == {"revocation"}
        assert {item["envelope"] for item in page} == {None}
    for _ in range(2):
        for item in page:
            assert send(door, f"handovers/{item['id']}/ack", {"taken_over_at": AT}).json()["state"] == "acked"
    assert verbs(ended.key) == ["key_fetched", "key_revoked", "revocation_fetched", "revocation_acked"]


def test_it_tells_the_state_of_each_of_many(door: Client, ready: list[Handover]) -> None:
    taken, rejected, ended = ready
    ask(door, "GET", "handovers")
    send(door, f"handovers/{rejected.id}/reject", {"reason": "x"})
    list(revoke_all(customer=ended.key.bot.customer))
    acks = [{"id": str(found), "taken_over_at": AT} for found in (taken.id, rejected.id, ended.id, ID)]
    answer = send(door, "handovers/ack", {"acks": [*acks, acks[0]]}).json()
    assert [found["state"] for found in answer["results"]] == ["acked", "rejected", "revoked", "unknown"]
    assert send(door, f"handovers/{uuid4()}/ack", {"taken_over_at": AT}).status_code == 404
    assert send(door, f"handovers/{uuid4()}/reject", {"reason": "x"}).status_code == 404


def test_it_takes_no_rejection_of_an_end(door: Client, ready: list[Handover]) -> None:
    ask(door, "GET", "handovers")
    list(revoke_all(exchange="binance"))
    revocation = Handover.objects.filter(kind=Handover.Kind.REVOCATION).earliest("number")
    answer = send(door, f"handovers/{revocation.id}/reject", {"reason": "never"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_a_key")
    assert Handover.objects.get(pk=revocation.pk).settled_at is None


def test_it_shows_the_current_envelope_of_a_bot(door: Client, ready: list[Handover]) -> None:
    handover = ready[0]
    asked = handover.key.bot.bot_id.replace(" / ", "/").lower()
    shown = door.get("/engine/v1/bots", {"bot_id": asked}).json()
    assert (shown["id"], shown["status"]) == (str(handover.id), "ready")
    # What was shown counts as fetched, or its end would never be told.
    assert verbs(handover.key) == ["key_fetched"]
    send(door, f"handovers/{handover.id}/ack", {"taken_over_at": AT})
    assert door.get("/engine/v1/bots", {"bot_id": asked}).json()["status"] == "active"
    list(revoke_all(customer=handover.key.bot.customer))
    assert door.get("/engine/v1/bots", {"bot_id": asked}).status_code == 404
    assert Handover.objects.pending().get(kind=Handover.Kind.REVOCATION).key == handover.key
    assert door.get("/engine/v1/bots", {"bot_id": "nobody"}).status_code == 404
    assert Bot.objects.count() == 3


GOOD_ACK = {"id": ID, "taken_over_at": AT}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        *((f"handovers/{ID}/ack", {"taken_over_at": at}) for at in (
            "", "now", None, 1, "2026-11-23", "2026-11-23T17:46:31", "2026-11-23 17:46:31Z",
            "2026-02-30T00:00:00Z", "1989-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
            "\uff12026-11-23T17:46:31Z",
            "2026-11-23T17:46:31+99:00", "2026-11-23T24:00:00Z",
        )),
        (f"handovers/{ID}/ack", {}),
        (f"handovers/{ID}/ack", {"taken_over_at": AT, "more": 1}),
        (f"handovers/{ID}/ack", [AT]),
        (f"handovers/{ID}/ack", "text"),
        *((f"handovers/{ID}/reject", {"reason": reason}) for reason in (
            "", "a" * 31, "two words", "é", 7, None, "\ud800", "a\n", "<script>",
        )),
        ("handovers/ack", {"acks": []}),
        ("handovers/ack", {"acks": {}}),
        ("handovers/ack", {"acks": [ID]}),
        ("handovers/ack", {"acks": [GOOD_ACK | {"id": ID.upper()}]}),
        ("handovers/ack", {"acks": [GOOD_ACK | {"id": f"{{{ID}}}"}]}),
        ("handovers/ack", {"acks": [GOOD_ACK | {"id": int(ID.replace("-", ""), 16)}]}),
        ("handovers/ack", {"acks": [GOOD_ACK, GOOD_ACK | {"more": 1}]}),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong_with_a_body(path: str, body: Any, door: Client) -> None:
    answer = send(door, path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"taken_over_at": ' + b"9" * 5_000 + b"}", "application/json"),
        (b'{"taken_over_at": "' + b"9" * 300_000 + b'"}', "application/json"),
        (b'{"taken_over_at": "2026-11-23T17:46:31Z"}', "text/plain"),
        (b"taken_over_at=2026-11-23T17:46:31Z", "application/x-www-form-urlencoded"),
    ],
)
def test_it_takes_only_small_json(raw: bytes, content_type: str, door: Client) -> None:
    answer = door.generic("POST", f"/engine/v1/handovers/{ID}/ack", raw, content_type)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_it_does_not_stumble_over_a_length_that_is_no_number(door: Client) -> None:
    answer = door.generic(
        "POST", f"/engine/v1/handovers/{ID}/ack", b"{}", "application/json", CONTENT_LENGTH="²"
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("after", ["", "-1", "1.0", "a", "9223372036854775808", "٣", "1" * 5_000])
def test_it_takes_only_numbers_that_it_gave(after: str, door: Client) -> None:
    assert door.get("/engine/v1/handovers", {"after": after}).status_code == 400


@pytest.mark.parametrize("bot_id", ["", " ", "a\0", "a" * 201])
def test_it_takes_only_what_can_be_a_bot_id(bot_id: str, door: Client) -> None:
    assert door.get("/engine/v1/bots", {"bot_id": bot_id}).status_code == 400
