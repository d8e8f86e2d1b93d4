#!/usr/bin/env bash
# end-to-end.sh [APP:DATABASE…]: starts each example server with a fresh database, and drives it over HTTP with the scripts of the
# folder `../shared`: the providers' flows, the concurrency probe, the hostile inputs. Without that folder the runners of the tests
# send the flows and the inputs, of which they have copies. Each is checked by scim2-tester too. On PostgreSQL two processes of an
# app are set on one database, and a short load. Where both apps are named, their answers are compared, and both get slow clients.
#
# APP is axum or actix, DATABASE is sqlite or postgres; without arguments, all four. PostgreSQL is the server that
# SCIM_TEST_POSTGRES is the URL of: with-postgres.sh starts one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/scripts/servers.sh

shared=${SHARED:-../shared}
setups=("$@")
if [ "$#" = 0 ]; then setups=(axum:sqlite axum:postgres actix:sqlite actix:postgres); fi

drive() {
  python3 tests/scripts/first-round.py "$base" "$token"
  bash tests/scripts/scim-tester.sh "$base" "$token"
  if [ ! -d "$shared/idp" ]; then
    # the copies of these inputs, by the runners of the tests
    SCIM_TEST_SERVER=$base SCIM_TEST_TOKEN=$token cargo test -p scim-provider --all-features --test it -- wiring::remote
    kill -0 "$server"
    return
  fi
  python3 "$shared/idp/run_flows.py" "$base" --token "$token"
  python3 "$shared/idp/concurrency_probe.py" "$base" --token "$token"
  # The script's own status passes what is too lenient or answers in the wrong words, and knows no leniencies: it is judged anew.
  rm -f "$work/attack.json"
  python3 "$shared/cases/attack.py" "$base" --token "$token" --pid "$server" --race --load --out "$work/attack.json" || true
  python3 tests/scripts/judge-attack.py "$work/attack.json"
  kill -0 "$server"
}

apps=$(printf '%s\n' "${setups[@]%%:*}" | sort -u)
slow=()
if [ "$apps" = $'actix\naxum' ]; then
  echo "--- axum beside actix"
  bases=()
  pids=()
  for app in $apps; do
    SCIM_BASE_URL=https://scim.example.com/scim/v2 start "$app" memory:
    bases+=("$base")
    pids+=("$server")
  done
  python3 tests/scripts/same-answers.py "$token" "${bases[@]}"
  # most of it is waiting: meanwhile the other servers get their work. SIGTERM is the last of it.
  for at in 0 1; do
    python3 tests/scripts/slow-clients.py "${bases[at]}" "$token" "${pids[at]}" >"$work/slow-$at" 2>&1 &
    slow+=("$!")
  done
fi
for setup in "${setups[@]}"; do
  if [ "${setup##*:}" = postgres ]; then
    program=$target/release/${setup%%:*}-example
    echo "--- two processes of ${setup%%:*} on one database"
    python3 tests/scripts/two_processes "$program" "$(fresh_database postgres)" --patches 60
    echo "--- ${setup%%:*} under load"
    python3 tests/scripts/load.py "$program" "$(fresh_database postgres)" --tenants 4 --rate 10 --seconds 5
  fi
  echo "--- growth of ${setup%%:*} on ${setup##*:}, in small"
  python3 tests/scripts/growth.py "$target/release/${setup%%:*}-example" "$(fresh_database "${setup##*:}")" --smoke
  python3 tests/scripts/bulk.py "$target/release/${setup%%:*}-example" "$(fresh_database "${setup##*:}")" --smoke
done
for setup in "${setups[@]}"; do
  echo "--- ${setup%%:*} on ${setup##*:}"
  start "${setup%%:*}" "$(fresh_database "${setup##*:}")"
  drive
  stop
done
for at in "${!slow[@]}"; do
  echo "--- slow clients of ${bases[at]}"
  status=0
  wait "${slow[at]}" || status=$?
  cat "$work/slow-$at"
  [ "$status" = 0 ]
  wait "${pids[at]}"
done
servers=()
