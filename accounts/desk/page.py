"""What the pages about one customer share."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from accounts.models import User
from accounts.roles import Act, may


def agent(request: HttpRequest) -> User:
    """Who is at the desk. The pages are behind the desk's own door, so it is one of ours."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def customer_or_404(request: HttpRequest, pk: int) -> User:
    """For whoever may look at people; staff are none that these pages know."""
    require_look(request)
    return get_object_or_404(User, pk=pk, client_id__isnull=False)


def require_look(request: HttpRequest) -> None:
    if not request.user.has_perm("accounts.view_user"):
        raise PermissionDenied


def require(request: HttpRequest, act: Act) -> None:
    if not may(request.user, act):
        raise PermissionDenied


def show(
    request: HttpRequest, template: str, customer: User, *, title: str, **context: Any
) -> TemplateResponse | HttpResponse:
    shared = {**admin.site.each_context(request), "opts": User._meta, "customer": customer, "title": title}
    return TemplateResponse(request, template, shared | context)
