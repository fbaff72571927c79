# One image for every process of the portal; docker-compose.yml says which is which.
FROM python:3.11-slim AS build
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
# Before the code, so that a change of code does not install everything again.
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY . .
# The settings want values to start. None of these is secret, and none is in the final image's environment.
RUN SECRET_KEY=build FINGERPRINT_KEY=build CODE_KEY=build SEAL_PUBLIC_KEYS=build EMAIL_URL=smtp://localhost:25 \
    python manage.py collectstatic --noinput --verbosity=0 \
    && rm -rf var/broker \
    && python -m compileall -q .

FROM python:3.11-slim
# Files belong to root: the process can read its own code and change none of it.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin portal
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER portal
EXPOSE 8000
CMD ["gunicorn", "sequence_portal.wsgi", "--bind=0.0.0.0:8000", "--workers=2"]
