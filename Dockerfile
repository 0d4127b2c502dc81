# One image for the three roles; docker-compose.yml says which program runs.
# Debian slim, 64-bit: opendp and numpy have no wheels for musl or armv7.
FROM python:3.11-slim-bookworm AS build
SHELL ["/bin/sh", "-eu", "-c"]
ARG PREFIX=/opt/mobilites
WORKDIR /src
COPY requirements.lock pyproject.toml LICENSE README.md ./
RUN python3 -m venv "$PREFIX" && \
    "$PREFIX/bin/pip" install --no-cache-dir --disable-pip-version-check --quiet --require-hashes -r requirements.lock
COPY carbon carbon
COPY consents consents
COPY contributions contributions
COPY personal_store personal_store
COPY coop_aggregator coop_aggregator
RUN "$PREFIX/bin/pip" install --no-cache-dir --disable-pip-version-check --quiet --no-deps .

FROM python:3.11-slim-bookworm
COPY --from=build /opt/mobilites /opt/mobilites
ENV PATH=/opt/mobilites/bin:$PATH PYTHONDONTWRITEBYTECODE=1
RUN install -d -o 1000 -g 1000 -m 700 /data
USER 1000:1000
VOLUME /data
