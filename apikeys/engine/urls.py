from django.urls import path, re_path

from apikeys.engine import door

app_name = "engine"
urlpatterns = [
    path("handovers", door.pending, name="handovers"),
    path("handovers/ack", door.ack_many, name="ack_many"),
    path("handovers/<uuid:handover_id>/ack", door.ack, name="ack"),
    path("handovers/<uuid:handover_id>/reject", door.reject, name="reject"),
    path("bots", door.bots, name="bots"),
    # Whatever else lies below, line ends included, so that a stranger learns nothing but 401.
    re_path("", door.nothing),
]
