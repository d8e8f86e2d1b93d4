#!/usr/bin/env bash
# end-to-end.sh [APP:DATABASE…]: starts each example server with a fresh database, and drives it over HTTP with the scripts of the
# folder `../shared`: the providers' flows, the concurrency probe, the hostile inputs. Without that folder only a round of requests
# is made: the flows and the inputs are then run in process, by the tests. Each is checked by scim2-tester too. Two processes of an
# app are set on one PostgreSQL database. Where both apps are named, their answers are compared at the end, and both get slow clients.
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
    echo "$shared is not there: flows and attacks were run in process only"
    return
  fi
  python3 "$shared/idp/run_flows.py" "$base" --token "$token"
  python3 "$shared/idp/concurrency_probe.py" "$base" --token "$token"
  # The script's own status passes what is too lenient or answers in the wrong words; we do not.
  python3 "$shared/cases/attack.py" "$base" --token "$token" --pid "$server" --race --load --out "$work/attack.json"
  python3 tests/scripts/judge-attack.py "$work/attack.json"
  kill -0 "$server"
}

for setup in "${setups[@]}"; do
  if [ "${setup##*:}" = postgres ]; then
    echo "--- two processes of ${setup%%:*} on one database"
    python3 tests/scripts/two_processes "$target/release/${setup%%:*}-example" "$(fresh_database postgres)" --patches 60
  fi
done
apps=$(printf '%s\n' "${setups[@]%%:*}" | sort -u)
for setup in "${setups[@]}"; do
  echo "--- ${setup%%:*} on ${setup##*:}"
  start "${setup%%:*}" "$(fresh_database "${setup##*:}")"
  drive
  stop
done
if [ "$apps" = $'actix\naxum' ]; then
  echo "--- axum beside actix"
  export SCIM_BASE_URL=https://scim.example.com/scim/v2
  start axum memory:
  axum=$server axum_base=$base
  start actix memory:
  actix=$server actix_base=$base
  python3 tests/scripts/same-answers.py "$token" "$axum_base" "$actix_base"
  # SIGTERM is the last of it
  python3 tests/scripts/slow-clients.py "$axum_base" "$token" "$axum"
  python3 tests/scripts/slow-clients.py "$actix_base" "$token" "$actix"
  wait "$axum"
  wait "$actix"
  servers=()
fi
