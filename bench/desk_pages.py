"""Which pages of the desk are measured, found from the addresses of the admin site."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Count, Model
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import urlencode

from accounts.models import AuditEvent, User
from accounts.roles import Act
from apikeys.engine import tokens
from apikeys.models import ApiKey, Bot, BotRequest, EngineToken, Handover, Job
from bench import stock
from notifications.desk import keyset
from notifications.desk.filters import OptionsFilter
from notifications.desk.lists import LargeTableAdmin
from notifications.kinds import MailKind
from notifications.models import Attachment, Mail
from tests.routes import every_route

# Pages on which nothing is looked at: ways in and out, and those that refuse everybody.
_NO_PAGES = re.compile(
    r"admin:(log(in|out)|password_change.*|autocomplete|view_on_site|staff_end|\w+_(add|delete))|admin/.*"
)
_OF_MODEL = re.compile(r"admin/(?P<app>\w+)/(?P<model>\w+)/")


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows whose pages have much to show, and what an agent types to find them."""

    customer: User
    bot: Bot
    key: ApiKey
    mail: Mail

    @property
    def terms(self) -> Mapping[str, str]:
        half, _, name = (self.customer.client_id or "").partition(" / ")
        return {
            "User ID": self.customer.client_id or "",
            "first half of an id": half,
            "second half of an id": name,
            "BOT ID": self.bot.bot_id,
            "end of a BOT ID": self.bot.bot_id.partition(" / ")[2],
            "coin": "BTC",
            "address": self.customer.email,
            "beginning of an address": self.customer.email[:4],
            "last four": self.key.last_four,
            "account": self.key.account_id or "1",
            "subject": self.mail.subject,
            "nothing": "nothing like this",
        }


def sample(*, asked_by: User) -> Sample:
    """The customer of whom there is most. What the filling has none of is made here, so no page is empty."""
    busiest = AuditEvent.objects.values("customer").annotate(number=Count("*")).order_by("-number")
    customer = User.objects.get(pk=busiest.exclude(customer=None)[0]["customer"])
    bot = customer.bots.annotate(number=Count("keys")).order_by("-number")[0]
    key = bot.keys.order_by("-submitted_at")[0]
    now = timezone.now()
    tokens.make(EngineToken(), name="bench", scopes=[], addresses=[], life=timedelta(days=1))
    job = {"act": Act.REVOKE_CHOSEN, "status": Job.Status.CHOSEN, "total": 1, "asked_from": "192.0.2.1"}
    Job.objects.create(**job, asked_by=asked_by, asked_at=now).items.create(row_id=key.pk)
    BotRequest.objects.create(customer=customer, exchange="binance", market="spot", asked_at=now)
    kind, to = MailKind.LETTER, customer.email
    context = {"lines": ["Thank you for asking."]}
    mail = Mail.objects.create(
        kind=kind,
        owner_id=customer.pk,
        to=to,
        cause="bench",
        subject="Your question",
        context=context,
        created_at=now,
        due_at=now,
    )
    Attachment.objects.create(mail=mail, name="answer.pdf", content=b"%PDF-1.7")
    return Sample(customer, bot, key, mail)


def pages(rows: Sample) -> Iterator[tuple[str, str]]:
    """Name and address of each. Raises where an address has a part that nothing stands for."""
    for route in every_route():
        if not route.name.startswith("admin") or _NO_PAGES.fullmatch(route.name):
            continue
        address = _filled_in(route.path, rows)
        name = route.name.removeprefix("admin:")
        if name == "search":
            yield from ((f"search: {what}", f"{address}?q={term}") for what, term in _typed(rows))
        elif name.endswith("_changelist"):
            yield from _list(name, address, rows)
        else:
            yield name, address


def stock_pages(rows: Sample) -> Iterator[tuple[str, str]]:
    """What can be compared: each list as it opens, at its end, filtered, and searched."""
    for model, options in stock.LISTS.items():
        name = f"{model._meta.app_label}/{model._meta.model_name}"
        last = (model._default_manager.count() + 99) // 100
        first_filter = options["list_filter"][0]
        value = getattr(_row(model, rows), first_filter)
        for what, rest in {
            "": "",
            ", last page": f"?p={last}",
            ", filtered": "?"
            + urlencode({f"{first_filter}__exact": int(value) if value in (True, False) else value}),
            ", searched": "?" + urlencode({"q": rows.terms["second half of an id"]}),
        }.items():
            yield f"{name}{what}", f"/stock/{name}/{rest}"


def _list(name: str, address: str, rows: Sample) -> Iterator[tuple[str, str]]:
    """Its ends and its middle, each option of its filters, and searches."""
    found = _OF_MODEL.match(address.lstrip("/"))
    shown = next(
        one
        for model, one in admin.site._registry.items()
        if found and (model._meta.app_label, model._meta.model_name) == (found["app"], found["model"])
    )
    yield name, address
    yield f"{name}, last page", f"{address}?{PAGE_VAR}=last"
    if not isinstance(shown, LargeTableAdmin):
        raise TypeError(f"{name} is no list of ours.")
    yield f"{name}, middle", f"{address}?{PAGE_VAR}={_middle(shown)}"
    kinds: Any = shown.list_filter
    for kind in kinds:
        spec: Any = kind(RequestFactory().get(address), {}, shown.model, shown)
        options = spec.get_options() if isinstance(spec, OptionsFilter) else ()
        values = [option.value for option in options] or [value for value, _ in spec.lookup_choices]
        for value in values:
            query = {spec.parameter_name: value}
            yield f"{name}, {spec.parameter_name}={value}", f"{address}?{urlencode(query)}"
    if shown.has_search:
        for what, term in _typed(rows):
            yield f"{name}, search: {what}", f"{address}?q={term}"


def _typed(rows: Sample) -> Iterator[tuple[str, str]]:
    for what, term in rows.terms.items():
        yield what, urlencode({"": term})[1:]


def _middle(shown: LargeTableAdmin) -> str:
    by = shown.ordering[0].lstrip("-")
    key = shown.opts.pk
    fields: Any = [key] if by in ("pk", key.name) else [shown.opts.get_field(by), key]
    ordered = shown.model._default_manager.order_by(*(field.attname for field in fields))
    number = ordered.count()
    return keyset.as_text(keyset.Side.AFTER, ordered[number // 2], fields) if number else "last"


def _row(model: type[Model], rows: Sample) -> Any:
    own = {User: rows.customer, Bot: rows.bot, ApiKey: rows.key, Mail: rows.mail}
    if model in own:
        return own[model]
    if model is AuditEvent:
        return AuditEvent.objects.filter(customer=rows.customer).latest("pk")
    if model is Handover:
        return Handover.objects.latest("pk")
    return model._default_manager.latest("pk")


def _filled_in(path: str, rows: Sample) -> str:
    if (of_model := _OF_MODEL.match(path)) and "<path:object_id>" in path:
        model = next(
            m for m in admin.site._registry if m._meta.label_lower == f"{of_model['app']}.{of_model['model']}"
        )
        path = path.replace("<path:object_id>", str(_row(model, rows).pk).replace("_", "_5F"))
    for part, row in {
        "<int:customer_pk>": rows.customer,
        "<int:person_pk>": rows.customer,
        "<int:bot_pk>": rows.bot,
        "<uuid:key_id>": rows.key,
        "<uuid:mail_id>": rows.mail,
    }.items():
        path = path.replace(part, str(row.pk))
    only: dict[str, type[Model]] = {"<uuid:job_id>": Job, "<uuid:request_pk>": BotRequest}
    for part, model in only.items():
        if part in path:
            path = path.replace(part, str(model._default_manager.latest("pk").pk))
    path = re.sub(r"\^?\(\?P<app_label>[^)]+\)", "apikeys", path).removesuffix("$")
    if re.search(r"[<>()?^$]", path):
        raise RuntimeError(f"What stands for {path}?")
    return f"/{path}"
