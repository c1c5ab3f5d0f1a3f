#!/bin/bash
# Builds the image, runs it as docs/operations.md says and as strictly as Kubernetes would, then compose.yaml whole, and
# checks what an operator counts on. As root on Debian it installs what it needs and starts a docker daemon of its own
# where none runs; it ends what it started, and nothing else.
#
#   bash deploy/check.sh          PORT=5000  first of two loopback ports
#                                 BASE=…     image to build on; by default python:3.12-slim, or where no registry is
#                                            reached a Debian made with debootstrap (docker image shizi-base)
set -euo pipefail
cd "$(dirname "$0")/.."
PORT=${PORT:-5000}
WORK=$(mktemp -d /tmp/shizi-check-XXXXXX)
export DOCKER_BUILDKIT=0 COMPOSE_PROJECT_NAME=shizi-check-$$
DAEMON=""
passed=0

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "FAILED: $*"
    exit 1
}
good() {
    say "ok: $*"
    passed=$((passed + 1))
}
same() { [ "$2" = "$3" ] && good "$1" || fail "$1: found '$2', expected '$3'"; }

clean_up() {
    local status=$?
    set +e
    if docker info >/dev/null 2>&1; then
        [ -f "$WORK/compose.yaml" ] && (cd "$WORK" && compose down --volumes >/dev/null 2>&1)
        docker ps --all --quiet --filter "label=shizi-check=$$" | xargs --no-run-if-empty docker rm --force >/dev/null
        docker volume rm "shizi-check-$$" >/dev/null 2>&1
    fi
    [ -n "$DAEMON" ] && kill "$DAEMON" 2>/dev/null && wait "$DAEMON"
    umount "$WORK"/exec/netns/* 2>/dev/null # what a daemon leaves mounted
    rm -rf "$WORK"
    exit "$status"
}
trap clean_up EXIT

# What it needs

need() { # need PACKAGE COMMAND: installs the package of Debian unless the command is there
    command -v "$2" >/dev/null && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$2 is missing; on Debian: apt-get install $1"
    say "installing $1"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}
compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose --compatibility "$@"; fi
}

need curl curl
need openssl openssl
need docker.io docker
docker compose version >/dev/null 2>&1 || need docker-compose docker-compose
if ! docker info >/dev/null 2>&1; then
    need docker.io dockerd
    export DOCKER_HOST=unix://$WORK/docker.sock
    # Without rules of its own for packets, so that it can run where those are not to be changed. Published ports go through
    # its proxy; containers reach nothing outside, which is how shizi is to be tried anyway. Builds use the host's network.
    dockerd --host "$DOCKER_HOST" --data-root "${DOCKER_DATA:-/var/lib/shizi-check-docker}" --exec-root "$WORK/exec" \
        --pidfile "$WORK/pid" --iptables=false --ip6tables=false --ip-masq=false --storage-driver overlay2 \
        --default-ulimit nofile=20000:20000 --exec-opt native.cgroupdriver=cgroupfs >"$WORK/dockerd.log" 2>&1 &
    DAEMON=$!
    for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
    docker info >/dev/null 2>&1 || { tail -5 "$WORK/dockerd.log" >&2; fail "dockerd did not start"; }
fi

if [ -z "${BASE:-}" ]; then
    BASE=python:3.12-slim
    if ! docker image inspect "$BASE" >/dev/null 2>&1 && ! docker pull --quiet "$BASE" >/dev/null 2>&1; then
        . /etc/os-release
        BASE=shizi-base:$VERSION_CODENAME
        if ! docker image inspect "$BASE" >/dev/null 2>&1; then
            need debootstrap debootstrap
            say "no registry is reached; making $BASE"
            debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$VERSION_CODENAME" "$WORK/base" >"$WORK/base.log"
            # As this machine trusts: a network that looks into TLS has a certificate of its own.
            cp /etc/ssl/certs/ca-certificates.crt "$WORK/base/etc/ssl/certs/"
            rm -rf "$WORK"/base/var/cache/apt/archives/*.deb "$WORK"/base/usr/share/{doc,man,locale}/*
            tar -C "$WORK/base" -c . | docker import - "$BASE" >/dev/null
        fi
    fi
fi

# The image

docker build --network host --build-arg "BASE=$BASE" --tag shizi . >"$WORK/build.log" 2>&1 || { tail -30 "$WORK/build.log" >&2; fail "the build"; }
megabytes() { echo $(($(docker image inspect --format '{{.Size}}' "$1") / 1000000)); }
good "built on $BASE: $(megabytes shizi) MB, of which the base $(megabytes "$BASE") MB"
python3 deploy/requirements.py pyproject.toml docx redis >"$WORK/requirements.txt"
docker run --rm --network host --label "shizi-check=$$" --volume "$WORK/requirements.txt:/requirements.txt:ro" "$BASE" sh -c '
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install --quiet --disable-pip-version-check --dry-run --target /tmp/none \
        --only-binary :all: --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 \
        --platform manylinux2014_aarch64 --python-version 3.12 --requirement /requirements.txt' >"$WORK/arm.log" 2>&1 ||
    { tail -5 "$WORK/arm.log" >&2; fail "wheels for arm64"; }
good "every package has a wheel for arm64 too"

# As docs/operations.md says

start() { docker run --detach --label "shizi-check=$$" --publish "127.0.0.1:$PORT:5000" "$@"; }
ready() { # ready CONTAINER: waits until it is
    for _ in $(seq 240); do
        curl --silent --fail "http://127.0.0.1:$PORT/ocr/ready" >/dev/null && return
        [ "$(docker inspect --format '{{.State.Running}}' "$1")" = true ] || { docker logs "$1" >&2; fail "it ended"; }
        sleep 0.5
    done
    docker logs "$1" >&2
    fail "it was not ready within two minutes"
}
draw() { # draw WIDTH HEIGHT ROWS: a picture with text, drawn inside the image with Pillow
    docker run --rm --label "shizi-check=$$" --network none --entrypoint python3 shizi -c '
import sys
from PIL import Image, ImageDraw, ImageFont
width, height, rows = map(int, sys.argv[1:])
page = Image.new("RGB", (width, height), "white")
draw, size = ImageDraw.Draw(page), min(60, height // rows // 2)
for row in range(rows):
    draw.text((40, 30 + row * height // rows), f"Invoice {row + 1} of 2026", "black", ImageFont.load_default(size))
page.save(sys.stdout.buffer, "PNG")' "$@"
}
text_of() { python3 -c 'import json, sys; print(json.load(sys.stdin)["text"].partition("\n")[0])'; } # its first line
read_it() { curl --silent --show-error --form "file=@$1" "http://127.0.0.1:$PORT/ocr/predict${2:-}"; }

draw 800 160 1 >"$WORK/small.png"
draw 7000 7000 60 >"$WORK/large.png"

plain=$(start --memory=2g shizi)
ready "$plain"
same "the web page is there" "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$PORT/ocr/webui")" 200
same "a picture is read" "$(read_it "$WORK/small.png" | text_of)" "Invoice 1 of 2026"
same "it runs as nobody in particular" "$(docker exec "$plain" id -u)" 10001
for _ in $(seq 60); do
    health=$(docker inspect --format '{{.State.Health.Status}}' "$plain")
    [ "$health" != starting ] && break
    sleep 1
done
same "docker finds it healthy" "$health" healthy
same "a picture of 49 megapixels is read within the memory" \
    "$(read_it "$WORK/large.png" | text_of)" "Invoice 1 of 2026"
limit=$(docker exec "$plain" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true')
same "the limit of memory is imposed" "$limit" 2147483648
peak=$(docker exec "$plain" sh -c 'cat /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null || true')
same "nothing was killed for memory (peak $((peak / 1000000)) MB)" "$(docker inspect --format '{{.State.OOMKilled}}' "$plain")" false

read_it "$WORK/large.png" "?mode=accurate&no_store=true" >"$WORK/drained.json" &
reading=$!
sleep 1
kill -0 "$reading" || fail "the request was over before SIGTERM came: this check needs a larger picture here"
docker stop --time 60 "$plain" >/dev/null
wait "$reading" || fail "the request that ran when SIGTERM came was cut"
same "the request that ran when SIGTERM came was finished" "$(text_of <"$WORK/drained.json")" "Invoice 1 of 2026"
same "it ended well" "$(docker inspect --format '{{.State.ExitCode}}' "$plain")" 0
docker logs "$plain" >"$WORK/log" 2>&1
same "no row of its log is anything but its own" "$(grep -v -c -e '^{' -e '^识字' -e '^shizi: warning: listening' "$WORK/log")" 0

# As strictly as Kubernetes would, with jobs on a volume, killed in the middle

strict=(--memory=2g --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 200
    --volume "shizi-check-$$:/var/lib/shizi" --env SHIZI_JOBS=/var/lib/shizi/jobs --env SHIZI_JOB_LEASE_SECONDS=2
    --env SHIZI_KEYS=/var/lib/shizi/keys)
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
key=$(docker run --rm --label "shizi-check=$$" "${strict[@]}" shizi keys add check --scope read --scope jobs)
killed=$(start "${strict[@]}" shizi)
ready "$killed"
same "without a key nothing is read" "$(read_it "$WORK/small.png" | field code)" key_missing
with_key=(--silent --show-error --header "X-API-Key: ${key##* }")
job=$(curl "${with_key[@]}" --form "file=@$WORK/large.png" --form "file=@$WORK/small.png" "http://127.0.0.1:$PORT/ocr/jobs" | field id)
sleep 0.5
docker kill --signal KILL "$killed" >/dev/null
again=$(start "${strict[@]}" shizi 2>/dev/null) || { docker rm --force "$killed" >/dev/null; again=$(start "${strict[@]}" shizi); }
ready "$again"
for _ in $(seq 120); do
    state=$(curl "${with_key[@]}" "http://127.0.0.1:$PORT/ocr/jobs/$job" | field state)
    [ "$state" = done ] && break
    sleep 0.5
done
same "with a read-only root a job outlives SIGKILL of its container" "$state" done
docker stop --time 60 "$again" >/dev/null

docker create --label "shizi-check=$$" --network none --name "shizi-check-cli-$$" shizi read /tmp/small.png >/dev/null
docker cp --quiet "$WORK/small.png" "shizi-check-cli-$$:/tmp/small.png" 2>/dev/null || docker cp "$WORK/small.png" "shizi-check-cli-$$:/tmp/small.png"
same "the command reads without any network" "$(docker start --attach "shizi-check-cli-$$" 2>/dev/null)" "Invoice 1 of 2026"

# compose.yaml: nginx, two replicas, Redis

image_of() { # image_of IMAGE PACKAGE: the image if it is to be had, else one of the base with Debian's package
    if docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1; then
        echo "$1"
    else
        printf 'FROM %s\nRUN apt-get update -qq && apt-get install -y -qq --no-install-recommends %s\n' "$BASE" "$2" |
            docker build --quiet --network host --tag "shizi-check-$2" - >/dev/null 2>&1
        echo "shizi-check-$2"
    fi
}
cp --recursive compose.yaml deploy "$WORK"
mkdir -p "$WORK/deploy/tls"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -keyout "$WORK/deploy/tls/key.pem" -out "$WORK/deploy/tls/certificate.pem" 2>/dev/null
NGINX_IMAGE=$(image_of nginx:1.28 nginx-light)
REDIS_IMAGE=$(image_of redis:7.2 redis-server)
export NGINX_IMAGE REDIS_IMAGE HTTPS_PORT=127.0.0.1:$PORT HTTP_PORT=127.0.0.1:$((PORT + 1)) SHIZI_CPUS=1
cd "$WORK"
compose up --detach --no-build >compose.log 2>&1 || { tail -5 compose.log >&2; fail "compose up"; }
ask() { curl --silent --show-error --cacert deploy/tls/certificate.pem --resolve "localhost:$PORT:127.0.0.1" "$@"; }
for _ in $(seq 60); do ask --fail "https://localhost:$PORT/ocr/ready" >/dev/null 2>&1 && break; sleep 0.5; done
same "compose: read over TLS" "$(ask --form file=@small.png "https://localhost:$PORT/ocr/predict" | text_of)" "Invoice 1 of 2026"
same "compose: the replicas share the cache" "$(ask --form file=@small.png "https://localhost:$PORT/ocr/predict" | field cached)" True
same "compose: plain HTTP leads to TLS" \
    "$(curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$((PORT + 1))/ocr/predict")" 308
job=$(ask --form file=@small.png "https://localhost:$PORT/ocr/jobs" | field id)
for _ in $(seq 120); do
    state=$(ask "https://localhost:$PORT/ocr/jobs/$job" | field state)
    [ "$state" = done ] && break
    sleep 0.5
done
same "compose: a job is done" "$state" done
one=$(compose ps -q shizi | head -1)
docker kill --signal KILL "$one" >/dev/null
wrong=0
for _ in $(seq 10); do
    [ "$(ask --form file=@small.png --form no_store=true "https://localhost:$PORT/ocr/predict" | text_of)" = "Invoice 1 of 2026" ] || wrong=$((wrong + 1))
done
same "compose: a replica killed costs no request" "$wrong" 0
say "$passed checks passed"
