"""Django settings. Every value from outside comes through `env`; durations are named, with their reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from celery.beat import BeatLazyFunc
from celery.schedules import crontab
from csp.constants import NONE, SELF

from sequence_portal import databases, env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = env.flag("DJANGO_DEBUG")
SECRET_KEY = env.required_secret("SECRET_KEY", "Give a random text of 50 characters or more.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")
PORTAL_URL = env.value("PORTAL_URL", "http://127.0.0.1:8000").rstrip("/")
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    "sequence_portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "csp",
    "sequence_portal.apps.PortalConfig",
    "accounts.apps.AccountsConfig",
    "apikeys.apps.ApiKeysConfig",
    "notifications.apps.NotificationsConfig",
    "telemetry.apps.TelemetryConfig",
]

MIDDLEWARE = [
    "sequence_portal.middleware.RequestFactsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sequence_portal.middleware.PageHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.sessions.SessionLimitsMiddleware",
    "sequence_portal.middleware.TooManyMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "sequence_portal.urls"
WSGI_APPLICATION = "sequence_portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "sequence_portal.views.site",
            ],
        },
    },
]

DATABASES = {
    "default": databases.complete(env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'portal.sqlite3'}"))
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Counters of limits, and broker: Redis, or what is embedded in one machine's processes.
REDIS_URL = env.secret("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "portal",
        }
    }

BROKER_URL = env.secret("BROKER_URL") or REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
# A message whose worker died is handed to another one after this long. No task takes longer, or it would be
# given away while it runs; and none is told to wait for longer than five minutes, since what waits counts
# like what runs. What lies further ahead is a due time in a row.
TASK_HANDED_ON_AFTER = timedelta(minutes=15)
if BROKER_URL:
    CELERY_BROKER_URL = BROKER_URL
    if BROKER_URL.startswith("redis"):
        # A web request that rings an absent broker gives up soon: the schedule finds the row again.
        CELERY_BROKER_TRANSPORT_OPTIONS = {
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            "visibility_timeout": TASK_HANDED_ON_AFTER.total_seconds(),
        }
        # Celery reads it from three places, and with Redis the shortest that any of them says counts.
        CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": TASK_HANDED_ON_AFTER.total_seconds()}
        CELERY_VISIBILITY_TIMEOUT = TASK_HANDED_ON_AFTER.total_seconds()
else:
    BROKER_DIR = VAR_DIR / "broker"
    for _name in ("queues", "processed", "control"):
        (BROKER_DIR / _name).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://localhost//"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": BROKER_DIR / "queues",
        "data_folder_out": BROKER_DIR / "queues",
        "control_folder": BROKER_DIR / "control",
        "processed_folder": BROKER_DIR / "processed",
        "store_processed": True,
        "polling_interval": 0.05,
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

# A person waits for the first two. Each is worked on by workers of its own.
QUEUES = ("checks", "mail", "sweeps", "chores")
CELERY_TASK_DEFAULT_QUEUE = "chores"
CELERY_TASK_ROUTES = {
    "apikeys.check_key": {"queue": "checks"},  # a person waits
    "apikeys.sweep": {"queue": "sweeps"},  # nobody waits
    "apikeys.measure_clocks": {"queue": "checks"},
    "notifications.deliver": {"queue": "mail"},
    "accounts.mail_code": {"queue": "mail"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_TIMEZONE = "UTC"
# How often the schedule looks for keys in use that are due to be checked again.
SWEEP_LOOK = timedelta(minutes=1)
# How often the schedule looks for what the broker lost. A waiting person should not notice.
LOOK_AGAIN = timedelta(seconds=5)
# A bell that the schedule rang is dropped unheard after this long: not before a slow worker had time for it.
BELL_LASTS = timedelta(minutes=1)
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    task: {"task": task, "schedule": LOOK_AGAIN, "options": {"expires": LOOK_AGAIN.total_seconds()}}
    for task in (
        "apikeys.ring_due_checks",
        "apikeys.ring_jobs",
        "notifications.ring_unsent",
        "accounts.ring_unsent_codes",
        "accounts.link_events",
        "accounts.apply_address_changes",
        "accounts.look_up_mail_domains",
    )
}
CELERY_BEAT_SCHEDULE["apikeys.plan_sweeps"] = {
    "task": "apikeys.plan_sweeps",
    "schedule": SWEEP_LOOK,
    "options": {"expires": SWEEP_LOOK.total_seconds()},
}
# Reminders are a matter of days; each is sent once, however often this looks.
CELERY_BEAT_SCHEDULE["apikeys.remind_of_ends"] = {
    "task": "apikeys.remind_of_ends",
    "schedule": timedelta(hours=1),
    "options": {"expires": 3600},
}
# Today's figures at the desk are at most this old.
CELERY_BEAT_SCHEDULE["apikeys.count_days"] = {
    "task": "apikeys.count_days",
    "schedule": timedelta(minutes=5),
    "options": {"expires": 300},
}
# The mail that announced it gives the minute.
CELERY_BEAT_SCHEDULE["apikeys.revoke_overdue"] = {
    "task": "apikeys.revoke_overdue",
    "schedule": timedelta(minutes=1),
    "options": {"expires": 60},
}
# Finds nothing, unless somebody altered a table by hand. By the clock, as an interval begins anew with each
# start.
CELERY_BEAT_SCHEDULE["apikeys.wipe_leftovers"] = {
    "task": "apikeys.wipe_leftovers",
    "schedule": crontab(hour="3", minute="20"),
}
# A clock drifts some milliseconds an hour. Asked by those who ask exchanges anyway.
CELERY_BEAT_SCHEDULE["apikeys.measure_clocks"] = {
    "task": "apikeys.measure_clocks",
    "schedule": timedelta(minutes=10),
    # While no check worker runs they must not heap up before a person's check.
    "options": {"expires": 600},
}
# Each queue hears a heartbeat this often, by which it is seen that a worker takes what lies on it. Eight of
# them fit into the shortest time after which somebody is woken.
HEARTBEAT_EVERY = timedelta(seconds=15)
# One that lay longer is dropped unheard: behind a backlog of five minutes, the next one tells enough.
HEARTBEAT_EXPIRES = timedelta(minutes=5)
for _queue in QUEUES:
    CELERY_BEAT_SCHEDULE[f"telemetry.heartbeat.{_queue}"] = {
        "task": "telemetry.heartbeat",
        "schedule": HEARTBEAT_EVERY,
        # The time is told by beat at each sending, so that the worker knows how long the heartbeat lay.
        "args": (_queue, BeatLazyFunc(lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))),
        "options": {"queue": _queue, "expires": HEARTBEAT_EXPIRES.total_seconds()},
    }
# Chores that clear away, each in batches. A table of what goes when, and why, is in docs/operations.md.
for _chore in (
    "accounts.forget_what_is_over",
    "notifications.forget_old_mail",
    "apikeys.forget_old_checks",
    "apikeys.forget_old_jobs",
    "telemetry.forget_old_slots",
):
    CELERY_BEAT_SCHEDULE[_chore] = {
        "task": _chore,
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},  # while no worker runs they must not heap up
    }
# For the figures only; rotating takes longer than that.
CELERY_BEAT_SCHEDULE["apikeys.count_seals"] = {
    "task": "apikeys.count_seals",
    "schedule": timedelta(minutes=10),
    "options": {"expires": 600},
}

# How long rows are kept that nobody needs for ever. Events, keys and their fingerprints are: a key that was
# ever used must be known again.
# Attempts of proving a mailbox count for limits of an hour; two days leave time to look into an attack.
CODE_ATTEMPTS_KEPT = timedelta(days=2)
# What a mail said, with names in it: for as long as support may be asked to send it again. The row stays,
# since the customer sees every mail under Security history.
MAIL_FACTS_KEPT = timedelta(days=30)
# The rows of mailed codes, one a sign-in, are most of all mail. The event of the sign-in stays.
CODE_MAILS_KEPT = timedelta(days=365)
# What exchanges answered: past a year's question about a key. The last answer stays with the key itself.
KEY_CHECKS_KEPT = timedelta(days=400)
# Which rows were chosen for an act on many, up to ten thousand a time: for as long as somebody may ask why
# one was left as it was. What was done to each is an event, and events stay.
JOB_ROWS_KEPT = timedelta(days=30)
# The act as a whole, with its numbers, as long as the answers of exchanges. Its events stay.
JOBS_KEPT = timedelta(days=400)
# Figures by five minutes, of which the wallboard shows hours. The totals stay.
TALLIES_KEPT = timedelta(days=2)

# What one export of a list at the desk holds at most: a spreadsheet opens no more than 1,048,576 rows.
EXPORT_ROWS_MAX = 1_000_000

# Mail
vars().update(env.mail_server("EMAIL_URL"))
EMAIL_TIMEOUT = 10
# A worker that claimed a mail has this long before another one may send it: twenty seconds to reach the
# server and four answers of at most EMAIL_TIMEOUT.
MAIL_CLAIM = timedelta(seconds=60)
# Pauses between tries, the last one over and over. Short at first, for a person may be waiting and servers
# that greylist want to be asked again after some minutes; long in the end, for a server that is away.
MAIL_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 3600, 4 * 3600))
SUPPORT_EMAIL = env.value("SUPPORT_EMAIL", "support@sequence.example")
DEFAULT_FROM_EMAIL = env.value("DEFAULT_FROM_EMAIL", "Sequence Portal <portal@sequence.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Mail that could not be delivered stands at the desk for this long; by then it is no news any more.
UNDELIVERED_FORGOTTEN = timedelta(days=14)

# Secrets of the product. Web processes hold the public seal keys and can open nothing.
_MADE_BY = "`python manage.py generate_seal_key` prints a pair."
SEAL_PUBLIC_KEYS = env.required_secret("SEAL_PUBLIC_KEYS", _MADE_BY)
SEAL_PRIVATE_KEYS = env.secret("SEAL_PRIVATE_KEYS")
FINGERPRINT_KEY = env.required_secret("FINGERPRINT_KEY", "Give a random text of 32 characters or more.")
CODE_KEY = env.required_secret("CODE_KEY", "Give a random text of 32 characters or more.")
# Of the chain over the audit events. Only workers of the queue chores need it.
AUDIT_KEY = env.secret("AUDIT_KEY")

# The trading engine. Without its public keys none is configured, and a proved key is active at once.
ENGINE_PUBLIC_KEYS = env.secret("ENGINE_PUBLIC_KEYS")
# A hand-over that the engine has not settled by then is shown at the desk and in the metrics.
ENGINE_LATE = timedelta(minutes=15)

# Exchanges
EXCHANGE_BASE_URLS = env.base_urls("EXCHANGE_BASE_URLS")
PORTAL_EGRESS_IPS = env.addresses("PORTAL_EGRESS_IPS")
PARTNER_APPS = env.mapping("PARTNER_APPS")
# A worker that claimed a check has this long before another one may take it: 25 seconds at most for asking
# the exchange, and room.
CHECK_CLAIM = timedelta(seconds=45)
# Keys in use are checked in lists of one exchange. A list holds at most so many keys, and no more than take
# this long at the exchange's pace, so that a worker that ends leaves little behind.
SWEEP_LIST = 1000
SWEEP_LIST_LASTS = timedelta(seconds=60)
# For how long each exchange has work after a look of the schedule: several looks, so that none runs out of
# it. No longer, since what is leased waits for its worker.
SWEEP_PLANNED_AHEAD = 5 * SWEEP_LOOK
# A list is leased for this long beyond the time that its keys take at the exchange's pace.
SWEEP_CLAIM = timedelta(minutes=3)
# A check that could not be made is made again after these pauses, the last one over and over.
CHECK_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800))
# After this long without an answer the customer is told that it was not their doing.
CHECK_GIVE_UP = timedelta(hours=24)
# A new key that one host of an exchange does not know is not refused for so long while another host of it,
# which may know the key, gives no answer. After that the silent one counts as given up.
UNHEARD_HOST = timedelta(minutes=10)
# An active key is looked at about once a day. Where its exchange did not answer, again after these pauses,
# the last one over and over: the bot trades on, so nobody waits, and an exchange in trouble is left alone.
RECHECK_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 120, 240))
# A key found wanting is looked at after as long as it has been so already, at least this long and daily at
# most: soon after its customer has mended it, without asking about dead keys for ever.
RECHECK_PROBLEM = timedelta(hours=1)
# A key that ends within the first is looked at this often, and once shortly after its end: its customer may
# have prolonged it at the exchange, which ends the reminders.
RECHECK_ENDING, RECHECK_ENDING_PAUSE = timedelta(days=3), timedelta(hours=6)
RECHECK_ENDED = timedelta(minutes=5)
# A refusal that does not say why makes a good key a problem only if it is still there this long after.
SECOND_LOOK = timedelta(hours=1)
# The same problem of the same key is not mailed twice within this time, however often it comes and goes.
SAME_PROBLEM_AGAIN = timedelta(days=1)
# A key with a right to move money is revoked this long after the right was seen: time to switch it off or to
# bring a new key, not longer. It is looked at a last time shortly before.
REVOKE_AFTER = timedelta(hours=72)
RECHECK_LAST = timedelta(hours=1)
# A check takes seconds. Without an answer for this long, the desk is told.
CHECK_LATE = timedelta(minutes=15)
# A customer whose key was refused usually brings a better one within the hour. After a day without one the
# desk is told that somebody is stuck, and for a week, since later it is no news any more.
GIVEN_UP_AFTER, GIVEN_UP_FORGOTTEN = timedelta(days=1), timedelta(days=7)
# A key that ends this soon is accepted with a warning.
EXPIRES_SOON = timedelta(days=14)

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "apikeys:bots"

# Not in the cache: people stay signed in while Redis is away, which is only a bell and a counter here.
SESSION_ENGINE = "accounts.session_store"
# Not in a cookie of their own, which would need the prefix of the others.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_IDLE = timedelta(minutes=60)
SESSION_ABSOLUTE = timedelta(hours=12)
# A secret is shown only once at the exchange, so an opened key form may be finished within this time even
# where the session would end in between.
KEY_FORM_LIFE = timedelta(minutes=60)
# A key form opens, a key is revoked and factors change only for who gave a code or factor this lately.
FRESH_PROOF = timedelta(minutes=60)
SESSION_COOKIE_AGE = int((SESSION_ABSOLUTE + KEY_FORM_LIFE).total_seconds())

# A confirmed new address counts after this long, so that the owner of the old one can hear of it and object.
ADDRESS_HOLD = timedelta(hours=24)
# A change that the customer has not confirmed by then is over, so that no old one lies about.
ADDRESS_CONFIRM_WITHIN = timedelta(days=7)

# A second lead approves, and what was chosen from a list is started, within this time: reasons grow old.
APPROVE_WITHIN = timedelta(hours=1)

# Keys that one lead ends by choice from lists count together for as long as this: a choice that is made in
# parts is one choice, and whoever means to end many has to wait long enough to be seen.
CHOSEN_COUNT_FOR = timedelta(hours=1)

# Mail exchangers are asked in the background: who runs a mailbox decides whether our mail arrives.
DNS_SERVERS = env.name_servers("DNS_SERVERS")
# For one look-up, all servers and repetitions included.
DNS_PATIENCE = timedelta(seconds=5)
# Exchangers change seldom, and a customer may move a domain to Microsoft at any time.
MAIL_DOMAIN_LOOK_AGAIN = timedelta(days=7)
MAIL_DOMAIN_RETRY = timedelta(hours=1)
# After a look-up that nobody answered, none is made for this long.
MAIL_DOMAIN_PAUSE = timedelta(minutes=1)

METRICS_TOKEN = env.secret("METRICS_TOKEN")

# Browser
HTTPS = urlsplit(PORTAL_URL).scheme == "https"
_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_PREFIX}session"
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "sequence_portal.views.form_out_of_date"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# An uploaded key file stays in memory: what would need a file on disk is not taken at all. The largest that
# somebody may send is the PDF of a letter, with the form around it.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
LETTER_PDF_MAX = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = LETTER_PDF_MAX + 512 * 1024
# A pasted megabyte is refused by the form in words; what is larger never reaches it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# Language, time, files
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["sequence_portal.formats"]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "redact": {"()": "sequence_portal.redaction.RedactionFilter"},
        "not_ready": {"()": "sequence_portal.logs.NotReadyFilter"},
    },
    "formatters": {"json": {"()": "sequence_portal.logs.JsonFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["redact"]},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        # At DEBUG these print signed addresses, headers and passphrases: fixed, whatever the root's level.
        "ccxt": {"level": "WARNING"},
        "aiohttp": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "http": {"level": "WARNING"},
        # The schedule rings every few seconds; each ring in three lines would bury what matters.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["not_ready"]},
    },
}

SENTRY_DSN = env.secret("SENTRY_DSN")
if SENTRY_DSN:
    # Not at the top: nobody who did not ask for it loads the library, which hooks into others.
    from sequence_portal import error_reports

    error_reports.start(SENTRY_DSN)
