"""Pages about bots and keys. What belongs to somebody else does not exist here: 404."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import gates, limits, sessions
from accounts.access import SignedInRequest, fresh_proof, has_fresh_proof, limited, signed_in
from accounts.addresses import client_address
from accounts.forms import MailboxForm
from accounts.gates import Gate
from apikeys import pages
from apikeys.exchanges.registry import EXCHANGES
from apikeys.flows import revoke
from apikeys.flows import submit as submit_flow
from apikeys.forms import KeyForm
from apikeys.models import ApiKey, Bot, BotRequest


@require_safe
@signed_in
def bots(request: SignedInRequest) -> HttpResponse:
    cards = pages.bot_cards(request.user, timezone.now())
    asked = BotRequest.objects.of(request.user).open().order_by("asked_at")
    context = {"nav": "bots", "cards": cards, "lede": pages.bots_lede(cards), "asked": asked}
    return render(request, "apikeys/bots.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@limited(GET=limits.GUIDES, POST=limits.KEYS_SENT)
@signed_in
@fresh_proof(unless=sessions.key_form_is_open)
def key_form(request: SignedInRequest, pk: int) -> HttpResponse:
    bot = get_object_or_404(Bot, pk=pk, customer=request.user)
    gate = gates.gate_of(request.user)
    if gate is not None:
        return _gated(request, gate)
    form = KeyForm(bot, request.POST or None, files=request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            key = submit_flow.submit(
                bot=bot,
                customer=request.user,
                credentials=form.credentials,
                trimmed=form.trimmed,
                replaces=form.cleaned_data["replaces"],
                address=client_address(request),
            )
        except submit_flow.BotChangedError:
            messages.warning(request, "Support changed this bot in this very moment. No key was stored.")
            return redirect("apikeys:bots")
        except gates.GatedError as error:
            return _gated(request, error.gate)
        except submit_flow.AnotherKeyWaitsError as error:
            form.add_error(
                None,
                f"Meanwhile another key of this bot, ending …{error.waiting.last_four}, is being checked. "
                "To replace it, paste the new key again and send it.",
            )
        else:
            return redirect("apikeys:key", pk=key.pk)
    elif has_fresh_proof(request):
        sessions.key_form_opened(request.session)
    page = pages.key_form_page(bot, timezone.now())
    return render(request, "apikeys/key_form.html", {"nav": "bots", "bot": bot, "page": page, "form": form})


@require_safe
@limited(GET=limits.GUIDES)
@signed_in
def exchanges(request: SignedInRequest) -> HttpResponse:
    return render(request, "apikeys/exchanges.html", {"nav": "exchanges", "list": pages.exchange_list()})


@require_safe
@limited(GET=limits.GUIDES)
@signed_in
def guide(request: SignedInRequest, exchange: str) -> HttpResponse:
    adapter = EXCHANGES.get(exchange)
    if adapter is None:
        raise Http404
    wanted = request.GET.get("market", "")
    market = next((market for market in adapter.markets if market == wanted), adapter.markets[0])
    page = pages.guide_page(adapter, market, timezone.now())
    return render(request, "apikeys/guide.html", {"nav": "exchanges", "page": page})


@require_safe
@signed_in
def key(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = _own_key(request, pk)
    page = pages.key_page(found, timezone.now())
    return render(request, "apikeys/key.html", {"nav": "bots", "key": found, "page": page})


def _page_of(pk: UUID) -> str:
    return reverse("apikeys:key", args=[pk])


@require_POST
@signed_in
@fresh_proof(back=_page_of)
def take_back(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = _own_key(request, pk)
    if not revoke.take_back(key=found, customer=request.user, address=client_address(request)):
        messages.info(request, "This key was decided before you took it back. Here is what came of it.")
    return redirect("apikeys:key", pk=pk)


def _gated(request: SignedInRequest, gate: Gate) -> HttpResponse:
    """In place of the form: why no key can be handed over now, and what to do."""
    status = 403 if request.method == "POST" else 200
    form = MailboxForm(initial={"note": gate.note})
    return render(request, gate.template, {"nav": "bots", "gate": gate, "form": form}, status=status)


def _own_key(request: SignedInRequest, pk: UUID) -> ApiKey:
    keys = ApiKey.objects.of(request.user).select_related("bot", "replaces").defer("sealed")
    return get_object_or_404(keys, pk=pk)
