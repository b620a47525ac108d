#!/usr/bin/env bash
# Installs the real servers of the integration tests where these find them: llama-server into a cache outside the
# repository, and Debian's packages of Swift, whose S3 door checks every signature, and of Chromium, in which the
# dashboard is tried. It starts nothing: the tests do that themselves, and skip what is not there. One line for each that
# was not there yet says what became of it.
set -euo pipefail
llama=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/shared/servers/llama-server.sh
cache=${SPILLWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/spillway}
mkdir -p "$cache"

# install NAME COMMAND…
install() {
  local name=$1 log=$cache/$1.log
  shift
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "  $name is not installed: that takes apt-get, and root"
  elif "$@" >"$log" 2>&1 </dev/null; then
    echo "  $name is installed"
  else
    echo "  $name could not be installed: $(tail -n 1 "$log")"
  fi
}

# packages NAME…: of Debian, and no more than they need
packages() {
  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@"
}

if [ -z "${SPILLWAY_LLAMA_SERVER:-}" ] && ! command -v llama-server >/dev/null && ! [ -x "$cache/llama/llama-server" ]; then
  if [ -f "$llama" ]; then
    install llama-server bash "$llama" "$cache/llama"
  else
    echo "  llama-server is not installed: ../shared/servers is not beside this project"
  fi
fi
if [ -z "${SPILLWAY_S3_ENDPOINT:-}" ] && ! { command -v swift-proxy-server && command -v memcached; } >/dev/null; then
  install swift packages swift-proxy swift-account swift-container swift-object memcached
fi
if [ -z "${CHROMIUM:-}" ] && ! command -v chromium chromium-browser google-chrome google-chrome-stable chrome >/dev/null; then
  install chromium packages chromium fonts-dejavu-core
fi
