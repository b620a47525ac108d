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
