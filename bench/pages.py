"""The largest page of the portal with all that it loads, in bytes as gunicorn sends them to a new visitor."""

import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.audit_verbs import Verb
from accounts.models import AuditEvent, User
from apikeys.exchanges.base import AllowList, Credentials, KeyReport, Right, Trouble
from apikeys.findings import FindingCode
from apikeys.flows.check import check
from apikeys.flows.revoke import take_back
from apikeys.flows.submit import submit
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from bench import stage
from bench.browser import Answer, Browser
from notifications import outbox
from notifications.kinds import MailKind
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import MailSink
from tests.stack import MAIL, WEB

KB = 1000
HERE = "127.0.0.1"
ROWS = 50  # the most that the security page shows of each kind
_CSS_URL = re.compile(r"""url\(\s*["']?(?!data:)([^"')]+)""")

GOOD = KeyReport(
    rights={right: right in (Right.READ, Right.SPOT, Right.DERIVATIVES) for right in Right},
    allow_list=AllowList(bound=True),
    account_id="1448939",
)
WARNED = KeyReport(
    rights={**GOOD.rights, Right.MARGIN: True},
    inherent_transfer=True,
    allow_list=AllowList(bound=False),
    account_id="1448939",
    expires_at=timezone.now() + timedelta(days=3),
)
# Everything wrong at once: each right that a key may not have, and names that nobody knows.
BAD = KeyReport(
    rights={**dict.fromkeys(Right, True), Right.READ: False, Right.SPOT: False, Right.DERIVATIVES: None},
    unknown=tuple(f"enableSomethingNew{number}" for number in range(5)),
    allow_list=AllowList(bound=True, addresses=("198.51.100.1", "198.51.100.2")),
    account_id="1448939",
    expires_at=timezone.now() - timedelta(days=1),
)
ELSEWHERE = KeyReport(rights=GOOD.rights, allow_list=GOOD.allow_list, account_id="another")
AWAY = Trouble(FindingCode.EXCHANGE_UNAVAILABLE, "HTTP 503")


def measure() -> Mapping[str, float]:
    with stage.fresh_database(), Simulator() as simulator, MailSink() as sink:
        customer = stage.make_customer()
        with stage.portal(simulator, sink, WEB, MAIL) as stack:
            sizes = dict(entrance(stack.url, sink))
            browser = Browser(stack.url)
            stage.sign_in(browser, sink)
            pages = {**make_bots(customer), **make_history(customer)}
            sizes |= {name: with_all_it_loads(browser, browser.get(path)) for name, path in pages.items()}
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"  {size / KB:5.1f} KB  {name}")
    return {"page_kb_max": max(sizes.values()) / KB}


def entrance(url: str, sink: MailSink) -> Iterator[tuple[str, int]]:
    browser = Browser(url)
    yield "sign-in", with_all_it_loads(browser, browser.get("/sign-in/"))
    browser.post("/sign-in/", email=stage.EMAIL, password=stage.PASSWORD)
    yield "sign-in, code", with_all_it_loads(browser, browser.get("/sign-in/code/"))
    yield "help", with_all_it_loads(browser, browser.get("/sign-in/help/"))
    browser.post("/sign-in/help/", client_id=stage.CLIENT_ID, email=stage.EMAIL)
    yield "help, code", with_all_it_loads(browser, browser.get("/sign-in/help/code/"))
    sink.wait_for(lambda letter: letter.number == 2, 30)


def make_bots(customer: User) -> dict[str, str]:
    """Ten bots, two at a time of each state; by name, where each page is."""
    refused = hand_over(stage.make_bot(customer, "BTC-1"), BAD)
    refused_bybit = hand_over(stage.make_bot(customer, "BTC-2", "bybit"), BAD)
    known = stage.make_bot(customer, "ETH-1")
    retired = hand_over(known, GOOD)
    active = hand_over(known, WARNED)
    troubled = hand_over(stage.make_bot(customer, "ETH-2", "bybit", "derivatives"), WARNED)
    ApiKey.objects.filter(pk=troubled.pk).update(problem=FindingCode.FORBIDDEN_PERMISSION)
    held_bot = stage.make_bot(customer, "SOL-1")
    hand_over(held_bot, GOOD)
    held = hand_over(held_bot, ELSEWHERE)
    checking = hand_over(stage.make_bot(customer, "SOL-2", "bybit", "derivatives"), None)
    waiting = hand_over(stage.make_bot(customer, "XRP-1"), AWAY)
    ready = hand_over(stage.make_bot(customer, "XRP-2", "bybit"), None)
    ApiKey.objects.filter(pk=ready.pk).update(status=KeyStatus.READY, ready_at=timezone.now())
    revoked = hand_over(stage.make_bot(customer, "ADA-1"), None)
    take_back(key=revoked, customer=customer, address=HERE)
    new = stage.make_bot(customer, "ADA-2", "bybit", "derivatives")
    keys = {
        "refused": refused,
        "refused, Bybit": refused_bybit,
        "retired": retired,
        "active, warned": active,
        "active, problem": troubled,
        "checking": checking,
        "checking, exchange away": waiting,
        "checking, waits for support": held,
        "ready": ready,
        "revoked": revoked,
    }
    return {
        "bots, ten of them": "/",
        "key form, Binance, with a key in use": f"/bots/{known.pk}/key/",
        "key form, Binance, with a key on its way": f"/bots/{held_bot.pk}/key/",
        "key form, Bybit, first key": f"/bots/{new.pk}/key/",
        "key form, Bybit, with a key in use": f"/bots/{troubled.bot_id}/key/",
        **{f"key, {name}": f"/keys/{key.pk}/" for name, key in keys.items()},
    }


def hand_over(bot: Bot, answer: KeyReport | Trouble | None) -> ApiKey:
    """A key of the bot, checked unless `answer` is None."""
    fresh = Credentials(secrets.token_hex(32), secrets.token_hex(32))
    key = submit(bot=bot, customer=bot.customer, credentials=fresh, trimmed=True, replaces=None, address=HERE)
    if answer is not None:
        check(key.pk, ask=lambda *_: answer)
    return key


def make_history(customer: User) -> dict[str, str]:
    """More events and mails than a page shows."""
    with transaction.atomic():
        for _ in range(ROWS + 1):
            audit.record(Verb.SIGNED_IN, customer=customer, actor=customer, address="2001:db8::ff00:42:8329")
        for number in range(ROWS + 1):
            outbox.note(
                MailKind.SIGN_IN_CODE,
                owner_id=customer.pk,
                to=customer.email,
                cause=f"bench:{number}",
                subject="Your code for Sequence Portal",
            )
    if AuditEvent.objects.filter(customer=customer).count() <= ROWS:
        raise RuntimeError("The history is too short.")
    return {f"security, {ROWS} events and {ROWS} mails": "/security/"}


def with_all_it_loads(browser: Browser, page: Answer) -> int:
    if page.status != 200:
        raise RuntimeError(f"Answered with {page.status}, to {page.headers['Location']}")
    found = _Loaded()
    found.feed(page.text)
    size, seen, wanted = page.wire_bytes, set[str](), [*found.addresses]
    while wanted:
        address = wanted.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = browser.get(address)
        if answer.status != 200:
            raise RuntimeError(f"{address} answered with {answer.status}")
        size += answer.wire_bytes
        if address.endswith(".css"):
            wanted += [urljoin(address, inner) for inner in _CSS_URL.findall(answer.text)]
    return size


class _Loaded(HTMLParser):
    """Addresses that a browser fetches by itself for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        loads = {"stylesheet", "icon", "preload"} & set((told.get("rel") or "").split())
        address = told.get("href") if tag == "link" and loads else told.get("src")
        if address and not address.startswith("data:"):
            self.addresses.add(address)
