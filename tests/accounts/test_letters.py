"""Support writes to a customer, with a PDF if need be."""

import html
import io
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, AuthenticatorApp, User
from accounts.roles import Role
from accounts.slips import slips_in
from notifications.models import Attachment, Mail
from notifications.tasks import deliver
from tests.authenticators import code_of
from tests.conftest import make_staff, signed_in
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n"


@pytest.fixture
def desk(db: None) -> Client:
    return signed_in(make_staff(Role.SUPPORT))


def written(
    desk: Client, to: User, pdf: bytes | None = None, name: str = "invoice.pdf", **fields: str
) -> Any:
    usual = {"subject": "Your invoice", "text": "Dear Alice,\n\nsee below.", "draft": str(uuid.uuid4())}
    file = {}
    if pdf is not None:
        file["pdf"] = io.BytesIO(pdf)
        file["pdf"].name = name
    return desk.post(f"/admin/accounts/user/{to.pk}/letter/", usual | fields | file)


def named_in(page: str) -> str:
    (found,) = re.findall(r'name="named" value="(\w+)"', page)
    return str(found)


@pytest.mark.django_db(transaction=True)
def test_it_goes_to_the_primary_address_with_its_pdf_once(
    desk: Client, alice: User, mail_sink: MailSink
) -> None:
    draft = str(uuid.uuid4())
    written(desk, alice, PDF, name="Rechnung Nº 7;.pdf", draft=draft)
    written(desk, alice, PDF, draft=draft)
    (mail,) = Mail.objects.filter(owner_id=alice.pk)
    deliver(str(mail.pk))
    (letter,) = mail_sink.messages
    assert (letter.recipients, letter.subject) == (("alice@example.com",), "Your invoice")
    (attached,) = letter.message.iter_attachments()
    assert (attached.get_content_type(), attached.get_content()) == ("application/pdf", PDF)
    assert attached.get_filename() == "Rechnung N- 7.pdf"
    assert "Dear Alice,\n\nsee below." in letter.text
    assert AuditEvent.objects.filter(customer=alice).values_list("verb", flat=True).get() == "letter_written"
    page = desk.get(f"/admin/accounts/user/{alice.pk}/letter/{mail.pk}/").content.decode()
    assert "Dear Alice," in page
    saved = desk.get(f"/admin/accounts/user/{alice.pk}/letter/{mail.pk}/pdf/")
    assert saved.content == PDF
    assert saved["Content-Disposition"].startswith("attachment;")


def test_it_warns_of_what_looks_like_a_key_or_a_code_and_keeps_what_was_typed(
    desk: Client, alice: User
) -> None:
    text = "Your code was 493021, your key vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A."
    page = written(desk, alice, text=text, sure="on").content.decode()  # before anything was named
    assert "Look at what is named above, then tick this" in page
    assert "looks like a six-digit code" in page
    assert "looks like an API key or a secret" in page
    assert "Dear" not in page
    assert text in page
    assert not Mail.objects.exists()
    named = named_in(page)
    assert written(desk, alice, text=text, named=named).status_code == 200
    more = f"{text} And the code 120734."
    page = written(desk, alice, text=more, named=named, sure="on").content.decode()
    assert "Look at what is named above, then tick this" in page, "a tick counts for what it stood beside"
    assert not re.search(r'name="sure"[^>]*checked', page)
    assert not Mail.objects.exists()
    assert written(desk, alice, text=more, named=named_in(page), sure="on").status_code == 302
    assert Mail.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Your invoice 2026-11 over 1,250.00 EUR is due on 14 December 2026.", 0),
        ("0x1A2 / JaneDoe / BTC-1 trades again since 22 Nov, 17:46.", 0),
        ("Call +49 30 9018200 or see https://portal.example.com/exchanges/binance/ for the guide.", 0),
        ("See https://help.example.com/tickets/48213/answers/2026 of 2026-11-27, order ZD-2026-0048213.", 0),
        ("0x1A2/JaneDoe/BTC-1 and BTCUSDTPerpetual, asked by two-week-old-customer-2026.", 0),
        ("The code is 493 021.", 1),
        ("-----BEGIN EC PRIVATE KEY-----", 1),
        ("organizations/1a2b/apiKeys/9f8e7d6c-5b4a-3210-aaaa-bbbbccccdddd", 1),
        ("b1946ac92492d2347c6235b4d2611184 and 493021", 2),
    ],
)
def test_it_knows_keys_and_codes_from_what_people_write(text: str, count: int) -> None:
    assert len(slips_in(text)) == count


@pytest.mark.parametrize(
    ("pdf", "says"),
    [
        (b"MZ\x90\x00 a program", "This is no PDF"),
        (b"%PDF-1.7 cut off", "This is no PDF"),
        (PDF + b"\n" * settings.LETTER_PDF_MAX, "more than 5 megabytes"),
        (PDF + b"\n" * (settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1), "more than 5 megabytes"),
    ],
)
def test_it_sends_nothing_where_the_file_is_not_what_it_should_be(
    desk: Client, alice: User, pdf: bytes, says: str
) -> None:
    page = written(desk, alice, pdf).content.decode()
    assert says in page
    assert "see below." in page
    assert not Mail.objects.exists()


def test_it_keeps_what_was_typed_for_longer_than_a_proof_lasts(desk: Client, alice: User) -> None:
    app = AuthenticatorApp.objects.get(user__email="support@sequence.example")
    text = "\nDear <Alice>,\r\n\r\nsee “below” & sign."
    draft = str(uuid.uuid4())
    with time_machine.travel(timezone.now() + timedelta(minutes=40), tick=False):
        desk.get(f"/admin/accounts/user/{alice.pk}/letter/")
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        again = written(desk, alice, PDF, text=text, draft=draft)
        assert again.status_code == 403
        page = again.content.decode()
        assert not Mail.objects.exists()
        assert 'type="file" name="pdf" required' in page, "a letter does not go out without its invoice"
        sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        sent |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL))
        sent = {name: html.unescape(value) for name, value in sent.items()}
        assert written(desk, alice, PDF, **sent).status_code == 403, "nothing goes out without the proof"
        desk.post("/security/confirm/", {"code": code_of(app)})
        assert written(desk, alice, PDF, **sent).status_code == 302
    mail = Mail.objects.get()
    assert (mail.context or {})["lines"] == ["Dear <Alice>,", "", "see “below” & sign."]
    assert Attachment.objects.get().content


def test_it_forgets_the_pdf_with_the_customer(desk: Client, alice: User) -> None:
    written(desk, alice, PDF)
    lead = signed_in(make_staff(Role.LEAD))
    lead.post(f"/admin/accounts/user/{alice.pk}/close/", {"reason": "Asked", "client_id": alice.client_id})
    assert not Attachment.objects.exists()
