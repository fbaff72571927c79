"""What the door's description allows, and what it forbids, drawn at random and sent over HTTP.

The draws are the same at every run. Every answer is held against docs/engine-api.json.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject
from pytest_django.live_server_helper import LiveServer
from schemathesis import Case, GenerationMode
from schemathesis.core.errors import SchemathesisError
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import ignored_auth

from accounts.models import User
from apikeys.engine.urls import urlpatterns
from apikeys.flows.revoke import revoke_all
from apikeys.models import Bot, Handover, Scope
from tests.engine.conftest import make_token
from tests.engine.rows import make_ready_keys

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "engine-api.json"
OPERATIONS = ["fetch", "ackMany", "ack", "reject", "bot"]
SCOPES = {
    **dict.fromkeys(("ackMany", "ack", "reject"), Scope.SETTLE),
    "fetch": Scope.FETCH,
    "bot": Scope.BOTS,
}
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
EXAMPLES = 30
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Sends each request again without a token, which is what the other test does on purpose.
NOT_HERE = [ignored_auth]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# A day that is in no calendar has the form of a date-time; nobody means to send it.
schemathesis.openapi.format(
    "date-time",
    st.datetimes(datetime(1991, 1, 2), datetime(8999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda moment: moment.isoformat()
    ),
)


def fuzz(
    operation_id: str,
    mode: GenerationMode,
    send: Callable[[Case[Any], DataObject], Response],
    *,
    examples: int = EXAMPLES,
) -> int:
    """Draw cases of one operation, and hold each answer against the description; gives how many."""
    schema = schemathesis.openapi.from_path(DESCRIPTION)
    schema.config.generation.with_security_parameters = False  # the token is the test's own matter
    operation = schema.find_operation_by_id(operation_id)
    number = 0

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def draw(case: Case[Any], data: DataObject) -> None:
        nonlocal number
        number += 1
        case.validate_response(send(case, data), excluded_checks=NOT_HERE)

    draw()
    return number


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_it_answers_as_described(
    operation_id: str, mode: GenerationMode, live_server: LiveServer, engine_private: str, engine_token: str
) -> None:
    make_ready_keys(10, customers=2)
    Handover.objects.update(fetched_at=timezone.now())
    list(revoke_all(customer=User.objects.get(client_id="0x1 / Customer1")))
    ids = [str(found) for found in Handover.objects.values_list("id", flat=True)]
    bot_ids = list(Bot.objects.values_list("bot_id", flat=True))
    seen: set[int] = set()

    def send(case: Case[Any], data: DataObject) -> Response:
        # Ids that exist are never drawn by chance. What is no id stays what it is.
        found = data.draw(st.sampled_from([*ids, ""]))
        path, body = case.path_parameters or {}, case.body
        if found and UUID.fullmatch(str(path.get("handover_id"))):
            path["handover_id"] = found
        elif operation_id == "bot" and found and mode is GenerationMode.POSITIVE:
            case.query = {"bot_id": data.draw(st.sampled_from(bot_ids))}
        elif found and operation_id == "ackMany" and mode is GenerationMode.POSITIVE:
            assert isinstance(body, dict)
            acks: Any = body["acks"]
            acks[0]["id"] = found
        answer = case.call(
            base_url=f"{live_server.url}/engine/v1", headers={"Authorization": f"Bearer {engine_token}"}
        )
        seen.add(answer.status_code)
        assert answer.status_code < 500
        return answer

    try:
        assert fuzz(operation_id, mode, send) >= 10
    except SchemathesisError as error:
        pytest.fail(str(error))
    if mode is GenerationMode.NEGATIVE:
        assert seen & {400, 404}
        return
    # What is refused to somebody with a token, and a page that holds keys and revocations, are drawn too.
    assert {"fetch": {200}, "bot": {200, 404}, "reject": {200, 409}}.get(operation_id, {200}) <= seen


def test_it_describes_what_it_refuses(live_server: LiveServer, engine_private: str) -> None:
    """403 for another scope and for another address, at every operation."""
    others = {operation: set(Scope) - {SCOPES[operation]} for operation in OPERATIONS}
    for operation_id in OPERATIONS:
        for token in (
            make_token(*others[operation_id]),
            make_token(addresses=["192.0.2.0/24"]),
        ):

            def send(case: Case[Any], data: DataObject, token: str = token) -> Response:
                answer = case.call(
                    base_url=f"{live_server.url}/engine/v1", headers={"Authorization": f"Bearer {token}"}
                )
                assert answer.status_code == 403
                return answer

            fuzz(operation_id, GenerationMode.POSITIVE, send, examples=3)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_it_answers_a_stranger_with_401_whatever_is_sent(
    operation_id: str, live_server: LiveServer, engine_private: str
) -> None:
    make_ready_keys(1)

    def send(case: Case[Any], data: DataObject) -> Response:
        garbage: dict[str, str] = data.draw(
            st.one_of(
                st.just({}),
                st.text("!~abcXYZ019._- ", max_size=60).map(lambda text: {"Authorization": text.strip()}),
                st.text("abcXYZ019_-", max_size=60).map(
                    lambda text: {"Authorization": f"Bearer seqe_{text}"}
                ),
            )
        )
        answer = case.call(base_url=f"{live_server.url}/engine/v1", headers=garbage)
        assert answer.status_code == 401
        return answer

    for mode in MODES:
        fuzz(operation_id, mode, send)
    assert Handover.objects.get().fetched_at is None


def test_it_describes_every_address_and_no_other() -> None:
    described: dict[str, Any] = json.loads(DESCRIPTION.read_text())["paths"]
    served = {
        "/" + str(pattern.pattern).replace("<uuid:handover_id>", "{handover_id}")
        for pattern in urlpatterns
        if pattern.name
    }
    assert described.keys() == served
