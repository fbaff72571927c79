"""One act as a page of the desk: what it is about, what it does, why it cannot be done, and the form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.acts import By, NotPossibleError
from accounts.addresses import client_address
from accounts.desk.forms import ActForm
from accounts.desk.page import agent, require
from accounts.models import User
from accounts.roles import Act, may


@dataclass(frozen=True, slots=True)
class ActPage:
    """rows: label and value of each fact. tells: what the act does, a sentence each.

    button: what it says; sure: the sentence to be ticked first, where the act cannot be taken back.
    seen: what is compared with the row when the act is done, see `By.seen`.
    why_not: a sentence, where the act is not possible as things are.
    """

    act: Act
    title: str
    about: Model
    button: str
    tells: Sequence[str]
    rows: Sequence[tuple[str, object]] = ()
    sure: str = ""
    seen: str = ""
    why_not: str = ""
    links: Sequence[tuple[str, str]] = field(default=())  # address and words


def answer(request: HttpRequest, page: ActPage, do: Callable[[By], str]) -> HttpResponse:
    """Show the page, or do the act and come back to it with the sentence that `do` gives.

    Who may not act sees what there is and no form. `do` raises NotPossibleError.
    """
    form = ActForm(request.POST if request.method == "POST" else None, seen=page.seen, sure=page.sure)
    if request.method == "POST":
        require(request, page.act)
        if form.is_valid():
            given = form.cleaned_data
            by = By(agent(request), client_address(request), given["reason"], given["seen"])
            try:
                messages.success(request, do(by))
            except NotPossibleError as reason:
                messages.warning(request, f"{reason} Nothing was changed.")
            return redirect(request.path)
    opts = page.about._meta
    here = f"admin:{opts.app_label}_{opts.model_name}"
    context = {
        "opts": opts,
        "title": page.title,
        "page": page,
        "list_address": reverse(f"{here}_changelist"),
        "about_address": reverse(f"{here}_change", args=[page.about.pk]),
        "form": form if may(request.user, page.act) and not page.why_not else None,
        "may_act": may(request.user, page.act),
        # For the row of links that every page about a customer has.
        "customer": page.about if isinstance(page.about, User) else None,
    }
    return TemplateResponse(request, "admin/act.html", admin.site.each_context(request) | context)
