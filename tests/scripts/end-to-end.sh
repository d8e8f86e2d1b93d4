#!/usr/bin/env bash
# Starts the axum example with a fresh SQLite database, and drives it over HTTP with the scripts of the folder
# `../shared`: the providers' flows, the concurrency probe, the hostile inputs. Without that folder only a round of requests
# is made: the flows and the inputs are then run in process, by the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

shared=${SHARED:-../shared}
# The hostile inputs try parts of this token.
token=s3cr3t-token-A
work=$(mktemp -d)
server=

cleanup() {
  local status=$?
  if [ -n "$server" ] && kill "$server" 2>/dev/null; then wait "$server" 2>/dev/null || true; fi
  if [ "$status" != 0 ] && [ -f "$work/log" ]; then
    echo "--- the end of the server's log"
    tail -n 40 "$work/log"
  fi
  rm -rf "$work"
}
trap cleanup EXIT

cargo build --release -p axum-example
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port/scim/v2

SCIM_LISTEN=127.0.0.1:$port DATABASE_URL=sqlite:$work/scim.sqlite SCIM_TOKENS=acme=$token \
  "$target/release/axum-example" >"$work/log" 2>&1 &
server=$!

python3 tests/scripts/first-round.py "$base" "$token"
if [ ! -d "$shared/idp" ]; then
  echo "$shared is not there: flows and attacks were run in process only"
  exit 0
fi
python3 "$shared/idp/run_flows.py" "$base" --token "$token"
python3 "$shared/idp/concurrency_probe.py" "$base" --token "$token"
# The script's own status passes what is too lenient or answers in the wrong words; we do not.
python3 "$shared/cases/attack.py" "$base" --token "$token" --pid "$server" --race --load --out "$work/attack.json"
python3 tests/scripts/judge-attack.py "$work/attack.json"
kill -0 "$server"
