"""The page of a job, from what was chosen to how it ended, and the one on which a lead asks for a second."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import fresh_proof
from accounts.acts import By, NotPossibleError
from accounts.addresses import client_address
from accounts.desk.forms import ActForm
from accounts.desk.page import agent, require
from accounts.models import User
from accounts.roles import Act, may
from apikeys.exchanges.registry import EXCHANGES, name_of
from apikeys.flows import jobs as flow
from apikeys.models import ALONE_MAX, Job, JobItem

# What is no more than this is done within the request, and the page shows the end at once.
AT_ONCE = 100
# Seconds between two looks of a page that watches a job.
_LOOK_AGAIN = 2
_LEFT_SHOWN = 50
_LISTS = {Act.RESEND_MAIL: "admin:notifications_mail_change"}


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that can be done about a job now. sure: the sentence to be ticked."""

    name: str
    button: str
    tells: str
    do: Callable[..., object]
    sure: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    if not request.user.has_perm("apikeys.view_job"):
        raise PermissionDenied
    people = ("asked_by", "started_by", "stopped_by")
    found = get_object_or_404(Job.objects.select_related(*people), pk=job_id)
    steps = _steps(found, agent(request)) if may(request.user, Act(found.act)) else []
    asked = request.POST.get("step", "")
    shown = [(step, _form(request, step, asked)) for step in steps]
    if request.method == "POST":
        require(request, Act(found.act))
        for step, form in shown:
            if step.name == asked and form.is_valid():
                _do(request, found, step, form)
                return redirect("admin:job", job_id)
        if asked not in {step.name for step in steps}:
            messages.warning(request, "This has moved on. Nothing was changed.")
            return redirect("admin:job", job_id)
    return _show(request, found, shown)


def _form(request: HttpRequest, step: _Step, asked: str) -> ActForm:
    sent = request.POST if step.name == asked else None
    return ActForm(sent, sure=step.sure, auto_id=f"{step.name}_%s")


def _steps(found: Job, actor: User) -> list[_Step]:
    if found.status == Job.Status.CHOSEN and found.asked_by == actor:
        if flow.takes_two(found):
            return [
                _Step(
                    "ask",
                    "Ask a second lead",
                    f"One lead alone ends {ALONE_MAX} chosen keys an hour, and these would be more. Nothing "
                    "happens until another lead approves it, within an hour.",
                    flow.ask_for_chosen,
                    f"Ask a second lead to revoke {found.total:,} chosen keys",
                )
            ]
        return [
            _Step(
                "start",
                f"{found.get_act_display()}: start",
                "What has changed since you chose it is left as it is and listed here.",
                flow.start,
                f"Do this for {found.total} chosen",
            )
        ]
    if found.status == Job.Status.ASKED:
        turn_down = _Step("turn_down", "Turn it down", "Nothing is revoked.", flow.turn_down)
        if found.asked_by == actor:
            return [turn_down]
        return [_approve(found), turn_down]
    if found.status == Job.Status.RUNNING:
        return [_Step("stop", "Stop it", "What is done stays done. Nothing more is done.", flow.stop)]
    return []


def _approve(found: Job) -> _Step:
    if found.exchange:
        name = EXCHANGES[found.exchange].name
        what, stays = f"Every key at {name}", "Keys handed over from now on stay."
        sure = f"Revoke every live key at {name}, {found.total:,} when this was asked for"
    else:
        what, stays = "Every chosen key", "What has changed since it was chosen is left as it is."
        sure = f"Revoke {found.total:,} chosen keys"
    return _Step(
        "approve",
        "Approve, and start",
        f"{what} is ended and its secret wiped, which nothing takes back. The bots stop, and each customer "
        f"is mailed. {stays}",
        flow.approve,
        sure,
    )


def _do(request: HttpRequest, found: Job, step: _Step, form: ActForm) -> None:
    by = By(agent(request), client_address(request), form.cleaned_data["reason"])
    try:
        step.do(job_id=found.pk, by=by)
    except NotPossibleError as reason:
        messages.warning(request, f"{reason} Nothing was changed.")
        return
    if step.do == flow.start and found.total <= AT_ONCE:
        flow.work(found.pk, goes_on=lambda: True)


def _show(request: HttpRequest, found: Job, shown: list[tuple[_Step, ActForm]]) -> HttpResponse:
    holds_still = request.GET.keys() & {"hold", "left"}
    watches = found.status == Job.Status.RUNNING and not holds_still
    expires_at = flow.expires_at(found)
    exchange = EXCHANGES[found.exchange].name if found.exchange else ""
    left = Paginator(found.items.filter(outcome__in=JobItem.LEFT).order_by("pk"), _LEFT_SHOWN)
    context = {
        "opts": Job._meta,
        "title": f"Revoke all keys at {exchange}" if exchange else found.get_act_display(),
        "job": found,
        "sees_people": request.user.has_perm("accounts.view_user"),
        "exchange": exchange,
        "chosen_at": _chosen_at(found),
        "is_of_two": found.status != Job.Status.CHOSEN and found.started_by != found.asked_by,
        "steps": shown,
        "is_own": found.asked_by == request.user,
        "expires_at": expires_at if expires_at and expires_at > timezone.now() else None,
        "left": left.get_page(request.GET.get("left")),
        "row_page": _LISTS.get(Act(found.act), "admin:apikeys_apikey_change"),
        "watches": watches,
    }
    answer = TemplateResponse(
        request, "admin/apikeys/job/job.html", admin.site.each_context(request) | context
    )
    if watches:
        # By a header, as a page does that loads itself again without a script. It keeps no session alive.
        answer["Refresh"] = f"{_LOOK_AGAIN}; url={request.path}?poll=1"
    return answer


def _chosen_at(found: Job) -> str:
    """Where the keys are that are about to be revoked: who chose by a filter sees what it let through."""
    if found.act != Act.REVOKE_CHOSEN or found.status not in (Job.Status.CHOSEN, Job.Status.ASKED):
        return ""
    return ", ".join(f"{name_of(exchange)} {number:,}" for exchange, number in flow.chosen_at(found))


class ExchangeForm(ActForm):
    exchange = forms.ChoiceField(choices=[(name, adapter.name) for name, adapter in EXCHANGES.items()])

    field_order = ("exchange", "reason", "sure", "seen")


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def exchange_revoke(request: HttpRequest) -> HttpResponse:
    """A lead asks for a second one."""
    require(request, Act.REVOKE_EXCHANGE)
    form = ExchangeForm(
        request.POST if request.method == "POST" else None,
        sure="Ask a second lead to revoke every key there",
    )
    form.order_fields(form.field_order)
    if request.method == "POST" and form.is_valid():
        by = By(agent(request), client_address(request), form.cleaned_data["reason"])
        try:
            made = flow.ask(exchange=form.cleaned_data["exchange"], by=by)
        except NotPossibleError as reason:
            form.add_error("exchange", f"{reason} Nothing was changed.")
        else:
            messages.success(request, "Asked for. Tell another lead: it ends by itself within the hour.")
            return redirect("admin:job", made.pk)
    context = {"opts": Job._meta, "title": "Revoke all keys of an exchange", "form": form}
    return TemplateResponse(
        request, "admin/apikeys/job/exchange.html", admin.site.each_context(request) | context
    )
