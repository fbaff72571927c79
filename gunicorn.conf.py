"""gunicorn's settings for `gunicorn sequence_portal.wsgi`."""

# The application is loaded before the workers are forked, so that a missing setting ends the start with
# its one line instead of a worker that dies and is started again for ever.
preload_app = True
worker_class = "gthread"
threads = 8
# A portal request never waits for an exchange or a mail server; what takes longer is stuck.
timeout = 30
graceful_timeout = 20
# It would open a socket in the home folder by which whoever reaches it steers the server.
control_socket_disable = True
logger_class = "sequence_portal.gunicorn_log.Logger"
# No request line is logged: an address could carry what somebody pasted into it.
accesslog = None
