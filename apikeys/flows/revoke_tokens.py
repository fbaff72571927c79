"""Engine tokens are ended before their time."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.acts import By
from accounts.audit_verbs import Verb
from apikeys.models import EngineToken


@transaction.atomic
def revoke_tokens(*, token_pks: Iterable[int], by: By) -> int:
    """They are refused from the next request on; gives how many were still alive."""
    live = EngineToken.objects.filter(pk__in=token_pks, revoked_at=None).order_by("pk").select_for_update()
    ended = list(live)
    EngineToken.objects.filter(pk__in=[token.pk for token in ended]).update(revoked_at=timezone.now())
    for token in ended:
        audit.record(
            Verb.ENGINE_TOKEN_REVOKED,
            customer=None,
            actor=by.actor,
            address=by.address,
            name=token.name,
            reason=by.reason,
        )
    return len(ended)
