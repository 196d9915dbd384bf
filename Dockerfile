# Quantum Trader Pro: chat, API and docs on port 8000. Nothing secret is built in; see docker-compose.yml for a whole desk.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN useradd --uid 10001 --create-home --home-dir /home/desk desk \
    && install -d -o desk -g desk /app /data

WORKDIR /app
COPY --chown=desk:desk requirements.lock ./
RUN pip install --require-hashes -r requirements.lock

COPY --chown=desk:desk pyproject.toml README.md ./
COPY --chown=desk:desk agents agents
COPY --chown=desk:desk api api
COPY --chown=desk:desk engines engines
COPY --chown=desk:desk prompts prompts
COPY --chown=desk:desk tools tools
COPY --chown=desk:desk ui ui
RUN pip install --no-deps --no-build-isolation -e .

USER desk
# Compiled kernels are kept in the image, so the first analysis does not wait for them.
RUN quantum-trader warm

ENV QTP_HOME=/data \
    QTP_HOST=0.0.0.0 \
    QTP_PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["quantum-trader"]
CMD ["serve"]
