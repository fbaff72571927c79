"""What support does about one key, or about all keys of one customer."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By
from accounts.desk.act_page import ActPage, answer
from accounts.desk.page import customer_or_404
from accounts.roles import Act
from apikeys.flows import check_again, revoke
from apikeys.models import ApiKey
from apikeys.status import LIVE, KeyStatus


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def key_check(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key, now = _key_or_404(request, key_id), timezone.now()
    in_a_list = []
    if check_again.is_in_a_list(key, now):
        in_a_list = ["It is in a list to be checked within minutes, and is taken out of that."]
    page = ActPage(
        act=Act.CHECK_KEY,
        title=f"Check {key} again",
        about=key,
        rows=[
            *_facts(key),
            ("Tries without an answer", key.failed_checks),
            ("Next try", _at(key.check_due_at)),
        ],
        tells=[
            *in_a_list,
            f"{key.adapter.name} is asked within seconds, instead of at the next try.",
            "What it answers decides, as always: nothing is excused because a person asked.",
        ],
        seen=key.status,
        button="Check it again now",
        why_not=check_again.why_not(key, now),
    )

    def do(by: By) -> str:
        check_again.check_again(key_id=key.pk, by=by)
        return "Asked for. The key's page shows the answer within seconds."

    return answer(request, page, do)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = _key_or_404(request, key_id)
    kept = ApiKey.objects.active().filter(bot=key.bot_id).exclude(pk=key.pk).first()
    goes_on = (
        f"The bot goes on with …{kept.last_four}." if kept else "The bot stops until a new key is active."
    )
    page = ActPage(
        act=Act.REVOKE_KEY,
        title=f"Revoke {key}",
        about=key,
        rows=_facts(key),
        tells=[
            f"The key is ended and its secret wiped here, which nothing takes back. {goes_on}",
            f"Positions and orders at {key.adapter.name} stay as they are.",
            f"A mail tells the customer, and to delete the key at {key.adapter.name}.",
        ],
        sure=f"Revoke the key ending …{key.last_four}",
        seen=key.status,
        button="Revoke this key",
        why_not="" if key.status in LIVE else f"This key has ended: {key.get_status_display().lower()}.",
    )

    def do(by: By) -> str:
        revoke.revoke_one(key_id=key.pk, by=by)
        return "Revoked, and the secret is wiped. A mail tells the customer."

    return answer(request, page, do)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def customer_revoke(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    keys = ApiKey.objects.of(customer).live().select_related("bot").defer("sealed").order_by("bot__bot_id")
    live = list(keys)
    page = ActPage(
        act=Act.REVOKE_CUSTOMER,
        title=f"Revoke all keys of {customer}",
        about=customer,
        rows=[(f"…{key.last_four}", f"{key.bot}, {key.get_status_display().lower()}") for key in live],
        tells=[
            "Every key above is ended and its secret wiped here, which nothing takes back. The bots stop.",
            "Positions and orders at the exchanges stay as they are.",
            "For each key a mail tells the customer, and to delete it at the exchange.",
        ],
        sure=f"Revoke {_keys(len(live))} of {customer}",
        seen=revoke.shown(live),
        button="Revoke them all",
        why_not="" if live else "No key of this customer is live.",
    )

    def do(by: By) -> str:
        number = revoke.revoke_of_customer(customer=customer, by=by)
        return f"{_keys(number)} revoked. Mails tell the customer.".capitalize()

    return answer(request, page, do)


def _keys(number: int) -> str:
    return "the one live key" if number == 1 else f"all {number} live keys"


def _key_or_404(request: HttpRequest, key_id: UUID) -> ApiKey:
    if not request.user.has_perm("apikeys.view_apikey"):
        raise PermissionDenied
    return get_object_or_404(ApiKey.objects.select_related("bot__customer").defer("sealed"), pk=key_id)


def _facts(key: ApiKey) -> list[tuple[str, object]]:
    found = (
        ", ".join(item.looked_at for item in key.findings) if key.status != KeyStatus.ACTIVE else key.problem
    )
    return [
        ("Customer", key.bot.customer),
        ("Bot", key.bot),
        ("State", key.get_status_display()),
        ("Findings", found or "None"),
        ("Last answer", _at(key.checked_at)),
    ]


def _at(when: object) -> str:
    return f"{when:%-d %b %Y, %H:%M:%S} UTC" if when else "None"
