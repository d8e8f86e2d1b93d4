#!/usr/bin/env bash
# scim-tester.sh BASE TOKEN: has a running server checked by scim2-tester, a suite that is not ours, in a virtual environment
# of its own. A check that fails or is skipped is a failure.
set -euo pipefail
base=$1 token=$2
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

venv=${CARGO_TARGET_DIR:-target}/scim-tester
if [ ! -x "$venv/bin/scim" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check scim2-cli==0.6.0 scim2-tester==0.5.2
fi
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# its exit status tells nothing of skipped checks, so the report is read
SCIM_CLI_HEADERS="Authorization: Bearer $token" "$venv/bin/scim" --url "$base" test >"$report" 2>&1 || true
passed=$(grep -cE '^(SUCCESS|COMPLIANT|ACCEPTABLE) ' "$report" || true)
failed=$(grep -cE '^(DEVIATION|ERROR|SKIPPED|CRITICAL) ' "$report" || true)
# as many as there are for users and groups: a suite that stops early has not passed
if [ "$passed" -lt 130 ] || [ "$failed" -gt 0 ]; then
  grep -E -A 4 '^(DEVIATION|ERROR|SKIPPED|CRITICAL) ' "$report" || tail -n 20 "$report"
  echo "scim2-tester: $passed checks passed, $failed did not"
  exit 1
fi
echo "scim2-tester: all $passed checks passed"
