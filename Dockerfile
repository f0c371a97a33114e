# Factwatch in a container: `docker build -t factwatch:0.1.0 .`
#
# The same Python and Debian that the tests run on. Nothing is written but /data and /tmp, so it runs on
# a read-only file system, as a user without rights:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v factwatch:/data -p 127.0.0.1:8080:8080 factwatch:0.1.0 run
ARG BASE=python:3.11.15-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY streams streams
COPY models models
# Wheels only: whatever would have to be compiled here should say so instead of asking for a compiler.
# `sseclient` alone comes as source; it is plain Python.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip wheel --no-deps --wheel-dir /wheels . \
 && python -m venv /opt/factwatch \
 && wheel=$(echo /wheels/factwatch-*.whl) \
 && /opt/factwatch/bin/pip install --only-binary :all: --no-binary sseclient \
        --constraint constraints.txt "${wheel}[kafka,archive,bluesky,7z]" \
 && /opt/factwatch/bin/pip check \
 && /opt/factwatch/bin/pip uninstall --yes --quiet wheel setuptools pip

FROM ${BASE}
LABEL org.opencontainers.image.title="factwatch" \
      org.opencontainers.image.source="https://github.com/factwatch/factwatch" \
      org.opencontainers.image.licenses="Apache-2.0"
# A fixed number, so that files in volumes belong to the same user in the next image too. There never was
# a compiler in it; the package installer goes.
RUN groupadd --gid 10001 factwatch \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin factwatch \
 && install --directory --owner=10001 --group=10001 --mode=0750 /data \
 && python -m pip uninstall --yes --quiet --root-user-action=ignore wheel setuptools pip
COPY --from=build /opt/factwatch /opt/factwatch
ENV PATH=/opt/factwatch/bin:$PATH \
    HOME=/data \
    OMP_NUM_THREADS=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FACTWATCH_DATA_DIR=/data \
    FACTWATCH_HTTP_BIND=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["factwatch"]
CMD ["--help"]
