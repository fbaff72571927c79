"""Engine tokens and hand-overs at the desk."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import AuditEvent
from accounts.roles import Role
from apikeys.engine import tokens
from apikeys.models import ApiKey, Bot, EngineToken, Handover, Scope
from apikeys.status import KeyStatus
from apikeys.vault import generate_pair
from tests.conftest import make_staff, signed_in
from tests.engine.rows import make_ready_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Client:
    return signed_in(make_staff(Role.OPERATIONS))


def test_it_shows_a_new_token_once_and_keeps_a_digest_only(desk: Client) -> None:
    asked = {
        "name": "engine-1",
        "scopes": [Scope.FETCH, Scope.SETTLE],
        "addresses": "10.0.0.7, 192.0.2.0/24",
        "days": 30,
        "reason": "The new engine.",
    }
    answer = desk.post("/admin/apikeys/enginetoken/add/", asked)
    assert "no-store" in answer["Cache-Control"]
    (text,) = re.findall(r'value="(seqe_[^"]+)"', answer.content.decode())
    for model in apps.get_models():
        assert not any(text in str(row) for row in model._default_manager.values()), model
    assert text not in str(dict(desk.session)), "nor within the session, whose row is encoded"
    tokens.admit(f"Bearer {text}", scope=Scope.FETCH, address="192.0.2.9")
    assert text not in desk.get("/admin/apikeys/enginetoken/").content.decode()
    assert AuditEvent.objects.get(verb="engine_token_made").detail == {
        "name": "engine-1",
        "reason": "The new engine.",
    }
    token = EngineToken.objects.get()
    assert text not in str(vars(token))
    assert token.addresses == ["10.0.0.7/32", "192.0.2.0/24"]


def test_it_says_what_is_no_address(desk: Client) -> None:
    asked = {"name": "x", "scopes": [Scope.FETCH], "addresses": "nowhere", "days": 30}
    page = desk.post("/admin/apikeys/enginetoken/add/", asked).content.decode()
    assert "no network addresses" in page
    assert not EngineToken.objects.exists()


def test_it_revokes_chosen_tokens(desk: Client) -> None:
    text = tokens.make(name="engine-1", scopes=[Scope.FETCH], addresses=[], life=timedelta(days=1))
    chosen = {"action": "revoke", "_selected_action": [EngineToken.objects.get().pk]}
    where = desk.post("/admin/apikeys/enginetoken/", chosen)["Location"]
    assert "engine-1" in desk.get(where).content.decode()
    tokens.admit(f"Bearer {text}", scope=Scope.FETCH, address="192.0.2.9")
    assert "This field is required" in desk.post(where, {}).content.decode()
    assert desk.post(where, {"reason": "It was lost"})["Location"] == "/admin/apikeys/enginetoken/"
    assert AuditEvent.objects.get(verb="engine_token_revoked").detail["reason"] == "It was lost"
    again = desk.post(where, {"reason": "x"}, follow=True).content.decode()
    assert "None of them is alive any more" in again
    with pytest.raises(tokens.DeniedError):
        tokens.admit(f"Bearer {text}", scope=Scope.FETCH, address="192.0.2.9")


def test_it_lists_hand_overs_that_wait_too_long(desk: Client, settings: Settings) -> None:
    _, settings.ENGINE_PUBLIC_KEYS = generate_pair()
    make_ready_keys(3)
    settled, late, fresh = Handover.objects.order_by("number")
    now = timezone.now()
    Handover.objects.filter(pk=settled.pk).update(settled_at=now, created_at=now - settings.ENGINE_LATE)
    Handover.objects.filter(pk=late.pk).update(created_at=now - settings.ENGINE_LATE)
    for waiting, expected in (("", {settled, late, fresh}), ("pending", {late, fresh}), ("late", {late})):
        page = desk.get("/admin/apikeys/handover/", {"waiting": waiting})
        assert set(page.context["cl"].result_list) == expected


def test_it_says_what_becomes_of_a_proved_key(desk: Client, settings: Settings, binance_bot: Bot) -> None:
    assert "a proved key is active at once" in desk.get("/admin/").content.decode()
    settings.ENGINE_PUBLIC_KEYS = settings.SEAL_PUBLIC_KEYS
    assert "once the trading engine has taken it over" in desk.get("/admin/").content.decode()
    now = timezone.now()
    key = ApiKey.objects.create(
        bot=binance_bot,
        status=KeyStatus.READY,
        last_four="abcd",
        fingerprint="x",
        sealed=b"x",
        submitted_at=now,
    )
    Handover.objects.create(kind="key", key=key, envelope=b"x", created_at=now - timedelta(minutes=16))
    page = desk.get("/admin/").content.decode()
    assert re.search(r'class="count">1</td><th scope="row"><a href="[^"]+">Hand-overs that', page)
