"""The one search box of the desk, and what the boxes of its lists send.

Terms are posted. What has the form of a whole API key is answered at once and looked for nowhere; anything
else is led to an address of its own, so that going back and reloading work. An address that somebody made by
hand, with a key for a term, is led away from before its page reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.desk.search import person_ways
from accounts.models import User
from accounts.slips import has_key_file, secrets_in
from apikeys.desk.search import bot_ways, is_ours, key_ways
from apikeys.models import ApiKey, Bot
from apikeys.pasted import EDGES
from notifications.desk.indexes import has_trigrams
from notifications.desk.mail_search import subject_ways
from notifications.desk.search import Hit, Match, Way, hits
from notifications.models import Mail

MOST = 6  # hits of a kind; the list behind it shows them all
LONGEST = 300  # a subject; no id is as long
PRESERVED = "_changelist_filters"  # Django's name


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be found. more: a few words that tell two hits apart."""

    words: str
    rows: Callable[[], "QuerySet[Any]"]
    ways: Callable[[str], Sequence[Way]]
    more: Callable[[Any], str]

    def name(self, page: str) -> str:
        opts = self.rows().model._meta
        return f"admin:{opts.app_label}_{opts.model_name}_{page}"

    def may_be_seen(self, request: HttpRequest) -> bool:
        opts = self.rows().model._meta
        return request.user.has_perm(f"{opts.app_label}.view_{opts.model_name}")


KINDS = (
    Kind(
        "Customers",
        lambda: User.objects.filter(client_id__isnull=False),
        person_ways,
        lambda person: f"{person.name}, {person.email}",
    ),
    Kind("Bots", Bot.objects.all, bot_ways, lambda bot: f"{bot.adapter.name}, {bot.market}"),
    Kind(
        "Keys",
        lambda: ApiKey.objects.select_related("bot").defer("sealed", "report_json", "findings_json"),
        key_ways,
        lambda key: f"{key.get_status_display()}, handed over {key.submitted_at:%d %b %Y}",
    ),
    Kind(
        "Mails",
        lambda: Mail.objects.defer("context", "text", "html"),
        subject_ways,
        lambda mail: f"{mail.get_status_display()}, {mail.created_at:%d %b %Y}",
    ),
)


@dataclass(frozen=True, slots=True)
class Group:
    kind: Kind
    hits: Sequence[Hit]
    term: str

    @property
    def list_url(self) -> str:
        return reverse(self.kind.name("changelist"), query={"q": self.term})

    @property
    def shown(self) -> list[dict[str, str]]:
        return [
            {
                "words": words_of(hit.row),
                "url": self.url(hit),
                "more": self.kind.more(hit.row),
                "why": hit.way.why,
            }
            for hit in self.hits
        ]

    def url(self, hit: Hit) -> str:
        return reverse(self.kind.name("change"), args=[hit.row.pk])


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Behind the desk's door. Shows of each kind what the role may see."""
    asked = request.POST if request.method == "POST" else request.GET
    term = " ".join(asked.get("q", "").replace("\0", "").strip(EDGES).split())
    if "refused" in request.GET or is_refused(request, term):
        return _show(request, refused=True)
    if request.method == "POST":
        return redirect(_list(request, term) or reverse("admin:search", query={"q": term}))
    groups = _find(request, term)
    exact = [group.url(hit) for group in groups for hit in group.hits if hit.way.match is Match.EXACT]
    return redirect(exact[0]) if len(exact) == 1 else _show(request, term=term, groups=groups)


def unless_refused(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For every page of the desk: one whose address has a term that must not be looked for is not read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        around = QueryDict(request.GET.get(PRESERVED, ""))  # what a list was narrowed to, for the way back
        if any(is_refused(request, asked.get("q", "")) for asked in (request.GET, around)):
            return redirect(reverse("admin:search", query={"refused": "yes"}))
        return view(request, *args, **kwargs)

    return guarded


def is_refused(request: HttpRequest, term: str) -> bool:
    """It is no search, or it has a key or a secret in it, and nothing of ours that only looks like one."""
    if len(term) > LONGEST or has_key_file(term):
        return True
    people, keys = (request.user.has_perm(name) for name in ("accounts.view_user", "apikeys.view_apikey"))
    return not all(is_ours(token, people=people, keys=keys) for token in secrets_in(term))


def words_of(row: Model) -> str:
    return row.subject if isinstance(row, Mail) else str(row)


def _find(request: HttpRequest, term: str) -> list[Group]:
    if not term:
        return []
    kinds = [kind for kind in KINDS if kind.may_be_seen(request)]
    groups = [Group(kind, hits(kind.rows(), kind.ways(term), MOST), term) for kind in kinds]
    return [group for group in groups if group.hits]


def _list(request: HttpRequest, term: str) -> str:
    """The list whose own box was used, with the filters that it had. Empty for the box of the desk."""
    label, _, name = request.POST.get("list", "").partition(".")
    model = apps.all_models.get(label, {}).get(name)
    if model not in admin.site._registry:
        return ""
    kept = {
        key: value for key, value in request.POST.items() if key not in ("csrfmiddlewaretoken", "list", "q")
    }
    query = kept | ({"q": term} if term else {})
    return reverse(f"admin:{label}_{name}_changelist", query=query)


def _show(
    request: HttpRequest, *, term: str = "", groups: Sequence[Group] = (), refused: bool = False
) -> TemplateResponse:
    return TemplateResponse(
        request,
        "admin/search.html",
        {
            **admin.site.each_context(request),
            "title": "Search",
            "term": term,
            "groups": groups,
            "refused": refused,
            "has_trigrams": has_trigrams(),
        },
    )
