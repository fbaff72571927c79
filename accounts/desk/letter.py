"""Letters to customers: one is written, and one that went out is read again."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import fresh_proof
from accounts.acts import NotPossibleError
from accounts.addresses import client_address
from accounts.desk.letter_form import TOO_LARGE, LetterForm
from accounts.desk.page import agent, customer_or_404, require, show
from accounts.flows import write_letter
from accounts.roles import Act, may
from notifications.kinds import MailKind
from notifications.models import Attachment, Mail


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof()
def customer_letter(request: HttpRequest, customer_pk: int) -> HttpResponse:
    customer = customer_or_404(request, customer_pk)
    is_sent = request.method == "POST"
    form = LetterForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    if is_sent:
        require(request, Act.WRITE_LETTER)
        if _is_too_large(request):
            # The server took no file at all, and a letter without its invoice must not go out.
            form.add_error("pdf", TOO_LARGE)
        if customer.is_active and form.is_valid():
            try:
                wrote = write_letter.write(
                    customer=customer,
                    draft=form.cleaned_data["draft"],
                    subject=form.cleaned_data["subject"],
                    text=form.cleaned_data["text"],
                    pdf=form.cleaned_data["pdf"],
                    actor=agent(request),
                    address=client_address(request),
                )
            except NotPossibleError as reason:
                messages.warning(request, f"{reason} Nothing was sent.")
            else:
                told = (
                    "The letter is on its way."
                    if wrote
                    else "This letter was sent already. It goes out once."
                )
                messages.success(request, told)
            return redirect("admin:accounts_user_change", customer_pk)
    return show(
        request,
        "admin/accounts/user/letter.html",
        customer,
        title=f"Write to {customer}",
        form=form if customer.is_active and may(request.user, Act.WRITE_LETTER) else None,
    )


@require_safe
def letter(request: HttpRequest, customer_pk: int, mail_id: UUID) -> HttpResponse:
    """Its words, for as long as they are kept."""
    customer = customer_or_404(request, customer_pk)
    mail = _letter_or_404(customer_pk, mail_id)
    return show(
        request,
        "admin/accounts/user/letter_sent.html",
        customer,
        title=mail.subject,
        mail=mail,
        text="\n".join((mail.context or {}).get("lines", ())),
        pdf=Attachment.objects.filter(mail=mail).defer("content").first(),
    )


@require_safe
def letter_pdf(request: HttpRequest, customer_pk: int, mail_id: UUID) -> HttpResponse:
    customer_or_404(request, customer_pk)
    pdf = get_object_or_404(Attachment, mail=_letter_or_404(customer_pk, mail_id))
    answer = HttpResponse(bytes(pdf.content), content_type="application/pdf")
    # Saved, and never opened inside the desk: it came from outside.
    answer["Content-Disposition"] = f'attachment; filename="{pdf.name}"'
    return answer


def _letter_or_404(customer_pk: int, mail_id: UUID) -> Mail:
    return get_object_or_404(Mail, pk=mail_id, owner_id=customer_pk, kind=MailKind.LETTER)


def _is_too_large(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
