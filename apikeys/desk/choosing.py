"""Acts on rows chosen from a list: the list leads to the page of a job, which asks for the rest."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.acts import NotPossibleError
from accounts.addresses import client_address
from accounts.desk.page import agent, require
from accounts.roles import Act
from apikeys.flows import jobs

Action = Callable[[Any, HttpRequest, "QuerySet[Any]"], HttpResponse | None]


def action(act: Act, words: str, *, seen: str = "") -> Action:
    """seen: the field whose value must still be the same when a row's turn comes.

    The admin class says by `has_<act>_permission` who is offered it.
    """

    @admin.action(description=words, permissions=[act.value])
    def chosen(model_admin: Any, request: HttpRequest, rows: "QuerySet[Any]") -> HttpResponse | None:
        require(request, act)
        fields = ("pk", seen) if seen else ("pk",)
        # One more than can be: enough to say that it is too many.
        found = rows.order_by("pk").values_list(*fields)[: jobs.CHOSEN_MAX + 1]
        wanted: list[tuple[UUID, str]] = [(row[0], str(row[1]) if seen else "") for row in found]
        try:
            job = jobs.choose(act=act, rows=wanted, actor=agent(request), address=client_address(request))
        except NotPossibleError as reason:
            messages.warning(request, f"{reason} Narrow the list by its filters.")
            return None
        return redirect("admin:job", job.pk)

    chosen.__name__ = act.value
    return chosen
