#!/usr/bin/env bash
# with-postgres.sh COMMAND …: runs a command with SCIM_TEST_POSTGRES set to the URL of a PostgreSQL server of its own,
# which listens on a free port of 127.0.0.1, keeps its data in a temporary folder, and ends with the command.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
  echo "PostgreSQL is not installed" >&2
  exit 1
fi
data=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# The server refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$data" "$@"; else "$@"; fi
}
if [ "$(id -u)" = 0 ]; then chown postgres: "$data"; fi

stop() {
  as_owner "$bin/pg_ctl" --pgdata="$data/db" --mode=immediate stop >/dev/null 2>&1 || true
  rm -rf "$data"
}
trap stop EXIT

cd "$data"
as_owner "$bin/initdb" --pgdata="$data/db" --username=scim --auth=trust --encoding=UTF8 --no-sync >/dev/null
as_owner "$bin/pg_ctl" --pgdata="$data/db" --log="$data/log" --wait \
  --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$data -c fsync=off" start >/dev/null
cd "$OLDPWD"
SCIM_TEST_POSTGRES="postgres://scim@127.0.0.1:$port/postgres" "$@"
