#!/bin/bash
# Gets the Debian packages that some tests need: as root on Debian by installing what is missing; elsewhere it
# names them, and the tests that need them are skipped with the same words (in CI a skip fails the run).
set -euo pipefail

missing=()
need() { # need PACKAGE TEST...: the package is missing unless the test succeeds
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
need fonts-noto-cjk test -f /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
need chromium command -v chromium
need curl command -v curl
need poppler-utils command -v pdftotext
need qpdf command -v qpdf
need default-jdk-headless command -v javac
need junit5 test -f /usr/share/java/junit-platform-console-standalone.jar
need nodejs command -v node
need node-typescript command -v tsc
need redis-server command -v redis-server
need nginx-light command -v nginx
need openssl command -v openssl

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "not installed: ${missing[*]}; the tests that need them will be skipped"
fi
