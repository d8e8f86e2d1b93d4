#!/usr/bin/env bash
# kill-nine.sh ROUNDS [APP:DATABASE…]: kills each example server with SIGKILL under eight writers, so many times, and looks whether
# every acknowledged write is there afterwards and every other one is whole or absent (kill_nine). The arguments are those of
# end-to-end.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/scripts/servers.sh

rounds=$1
shift
setups=("$@")
if [ "$#" = 0 ]; then setups=(axum:sqlite axum:postgres actix:sqlite actix:postgres); fi

# A store in memory loses everything: whoever does not notice that notices nothing.
if python3 tests/scripts/kill_nine "$target/release/axum-example" memory: 1 >"$work/forgetful" 2>&1; then
  echo "kill_nine does not see that a store forgets everything" >&2
  exit 1
fi
grep -q "complaints" "$work/forgetful" || { cat "$work/forgetful"; exit 1; }

for setup in "${setups[@]}"; do
  echo "--- ${setup%%:*} on ${setup##*:}"
  python3 tests/scripts/kill_nine "$target/release/${setup%%:*}-example" "$(fresh_database "${setup##*:}")" "$rounds"
done
