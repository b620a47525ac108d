# Sourced by .ci/run, or by hand before `npm run test:integration`: puts the real servers of the integration tests into
# a cache outside the repository, and says in the environment where they are. What cannot be had is left unset: the
# tests that need it skip, and say why.
shared=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/shared
cache=${SPILLWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/spillway}

if [ -d "$shared/models" ]; then export SPILLWAY_MODELS=$shared/models; fi
if [ -x "$cache/llama/llama-server" ]; then
  export SPILLWAY_LLAMA_SERVER=$cache/llama/llama-server
elif [ -f "$shared/servers/llama-server.sh" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  if bash "$shared/servers/llama-server.sh" "$cache/llama" >"$cache.llama.log" 2>&1; then
    export SPILLWAY_LLAMA_SERVER=$cache/llama/llama-server
  else
    echo "servers: llama-server could not be installed: $(tail -n 1 "$cache.llama.log")"
  fi
fi

# Swift's S3 door, which checks every signature: five processes on loopback, stopped by stop_servers
if [ -n "${SPILLWAY_S3_ENDPOINT:-}" ]; then :
elif [ -f "$shared/servers/swift-s3.sh" ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  swift=$cache/swift
  mkdir -p "$swift"
  if ! command -v swift-proxy-server >/dev/null || ! command -v memcached >/dev/null; then
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
      swift-proxy swift-account swift-container swift-object memcached; } >"$cache.swift.log" 2>&1 </dev/null || true
  fi
  if command -v swift-proxy-server >/dev/null &&
    SWIFT_HOME=$swift bash "$shared/servers/swift-s3.sh" >>"$cache.swift.log" 2>&1 </dev/null &&
    curl -s -m 2 http://127.0.0.1:14580/healthcheck | grep -q OK; then
    export SPILLWAY_S3_ENDPOINT=http://127.0.0.1:14580 SPILLWAY_S3_ACCESS_KEY=test:tester SPILLWAY_S3_SECRET_KEY=testing
  else
    echo "servers: Swift could not be started: $(tail -n 1 "$cache.swift.log")"
  fi
fi

stop_servers() {
  if [ -n "${swift:-}" ] && [ -d "$swift/run" ]; then
    kill $(cat "$swift"/run/*.pid 2>/dev/null) 2>/dev/null || true
    rm -f "$swift"/run/*.pid
  fi
}
