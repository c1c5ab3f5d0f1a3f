# The service as an image:   docker build -t shizi .
#                            docker run -p 5000:5000 --memory=2g shizi
# Needs no BuildKit. BASE may be any Debian-like image with python3 (3.11 or newer) and its venv module; the packages come
# from pip's usual index, the models with them, and nothing is fetched at run time. See docs/operations.md.
ARG BASE=python:3.12-slim

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/shizi
# Packages first: their layer is kept while only the code changes. Wheels alone, so that nothing is compiled; all of them
# exist for amd64 and arm64.
COPY pyproject.toml deploy/requirements.py ./
RUN python3 requirements.py pyproject.toml docx redis > requirements.txt \
    && python3 requirements.py pyproject.toml --apart > models.txt \
    && /opt/shizi/bin/pip install --only-binary :all: -r requirements.txt \
    && /opt/shizi/bin/pip install --only-binary :all: --no-deps -r models.txt
COPY README.md LICENSE NOTICE ./
COPY src src
# Without pip (and the setuptools that older venvs bring) and the packages' own tests: nothing installs or tests in there.
RUN /opt/shizi/bin/pip install --no-deps . \
    && find /opt/shizi -type d -name tests -prune -exec rm -r {} + \
    && /opt/shizi/bin/pip uninstall --yes setuptools pip

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="shizi" \
      org.opencontainers.image.description="Text from pictures and documents, Chinese and English first, on plain CPUs" \
      org.opencontainers.image.licenses="Apache-2.0"
# Numbers that Kubernetes can check (runAsNonRoot). The folder is for jobs, keys and templates; mount a volume there.
RUN groupadd --gid 10001 shizi \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/shizi --shell /usr/sbin/nologin shizi \
    && install -d -o shizi -g shizi -m 700 /var/lib/shizi
COPY --from=build /opt/shizi /opt/shizi
ENV PATH=/opt/shizi/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SHIZI_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/shizi
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ.get('SHIZI_PORT', '5000')}/ocr/ready\", timeout=4)"]
ENTRYPOINT ["shizi"]
CMD ["serve"]
