"""A person's own second factors: seen, added, removed. All of it after a fresh code or factor."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import authenticator, factor_keys, factor_page, sessions
from accounts.access import SignedInRequest, fresh_proof, signed_in_to_enrol
from accounts.addresses import client_address
from accounts.devices import AuthenticatorApp, Factor, Passkey, has_factor
from accounts.factor_forms import AppCodeForm, PasskeyForm
from accounts.flows import factors as flow


def _overview() -> str:
    return reverse("accounts:factors")


@require_safe
@signed_in_to_enrol
@fresh_proof()
def factors(request: SignedInRequest) -> HttpResponse:
    return _show(request, PasskeyForm())


@require_POST
@signed_in_to_enrol
@fresh_proof(back=_overview)
def begin_app(request: SignedInRequest) -> HttpResponse:
    flow.begin_app(user=request.user)
    return redirect("accounts:factors_app")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_to_enrol
@fresh_proof()
def app(request: SignedInRequest) -> HttpResponse:
    pending = flow.pending_app(request.user)
    if pending is None:
        return redirect("accounts:factors")
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        added = flow.confirm_app(
            request=request, code=form.cleaned_data["code"], address=client_address(request)
        )
        if added:
            return _after_adding(request, added)
        form.add_error("code", factor_page.WRONG["code"])
    page = {"nav": "security", "form": form, "secret": authenticator.secret_text(pending)}
    return render(request, "accounts/factors_app.html", page)


@require_safe
@signed_in_to_enrol
@fresh_proof()
def app_qr(request: SignedInRequest) -> HttpResponse:
    """A picture of the secret, for as long as the app is not confirmed."""
    pending = get_object_or_404(AuthenticatorApp, user=request.user, confirmed=False)
    return HttpResponse(authenticator.qr_svg(pending), content_type="image/svg+xml")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_to_enrol
@fresh_proof()
def remove_app(request: SignedInRequest) -> HttpResponse:
    return _remove(request, get_object_or_404(AuthenticatorApp, user=request.user, confirmed=True))


@require_POST
@signed_in_to_enrol
@fresh_proof(back=_overview)
def add_passkey(request: SignedInRequest) -> HttpResponse:
    form = PasskeyForm(request.POST)
    if form.is_valid():
        added = flow.add_passkey(
            request=request,
            name=form.cleaned_data["name"],
            credential=form.cleaned_data["passkey"],
            challenge=_challenge(request),
            address=client_address(request),
        )
        if added:
            return _after_adding(request, added)
        form.add_error("name", "The browser's answer was not accepted. Try again, or add an app instead.")
    return _show(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_to_enrol
@fresh_proof()
def remove_passkey(request: SignedInRequest, pk: int) -> HttpResponse:
    return _remove(request, get_object_or_404(Passkey, pk=pk, user=request.user))


@require_POST
@signed_in_to_enrol
@fresh_proof(back=_overview)
def recovery_codes(request: SignedInRequest) -> HttpResponse:
    if not has_factor(request.user):
        return redirect("accounts:factors")
    made = flow.renew_recovery_codes(user=request.user, address=client_address(request))
    return _show_codes(request, made, "New recovery codes")


def _show(request: SignedInRequest, form: PasskeyForm) -> HttpResponse:
    page = factor_page.overview(request.user, _challenge(request))
    return render(request, "accounts/factors.html", {"nav": "security", "form": form, "page": page})


def _remove(request: SignedInRequest, factor: Factor) -> HttpResponse:
    if request.method == "POST":
        try:
            flow.remove(request=request, factor=factor, address=client_address(request))
        except flow.LastFactorError:
            messages.info(request, "Staff need a second factor. Add another one before you remove this.")
        else:
            messages.info(request, f"The {factor.words} was removed. A mail about it is on its way.")
        return redirect("accounts:factors")
    is_last = flow.of(request.user) == [factor]
    page = {"nav": "security", "factor": factor, "is_last": is_last}
    return render(request, "accounts/factors_remove.html", page)


def _after_adding(request: SignedInRequest, added: flow.Added) -> HttpResponse:
    if added.recovery_codes:
        return _show_codes(request, added.recovery_codes, f"Your {added.factor.words} is added")
    messages.info(request, f"The {added.factor.words} was added. A mail about it is on its way.")
    return redirect("accounts:factors")


def _show_codes(request: SignedInRequest, codes: list[str], heading: str) -> HttpResponse:
    """The only time that they are seen, so this page answers the POST itself."""
    page = {"nav": "security", "codes": codes, "all_codes": "\n".join(codes), "heading": heading}
    return render(request, "accounts/recovery_codes.html", page)


def _challenge(request: SignedInRequest) -> bytes:
    """Bound to this session and its last proof. Adding a passkey is one, so a challenge is used up once."""
    return factor_keys.passkey_bytes("add", sessions.last_proof(request.session))
