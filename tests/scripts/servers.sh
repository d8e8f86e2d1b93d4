# To be sourced: starts example servers, each with a database of its own, and stops them at the end of the script.
# The caller's status decides: when it is not 0, the end of the last server's log is shown.

# The hostile inputs try parts of this token.
token=s3cr3t-token-A
work=$(mktemp -d)
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
# both at once: each on its own would compile what they share with other features
cargo build --release -p axum-example -p actix-example
# what runs: process ids, the last one's, and its base URL
servers=()
server=
base=

# start APP DATABASE_URL: sets `server` and `base`. It may not listen yet.
start() {
  local port
  port=$(free_port)
  base=http://127.0.0.1:$port/scim/v2
  # one tenant has the clients of many here: `neighbour` looks at shares
  SCIM_LISTEN=127.0.0.1:$port DATABASE_URL=$2 SCIM_TOKENS=acme=$token \
    SCIM_TENANT_AT_ONCE=64 SCIM_TENANT_WAITING=1000 SCIM_WAIT_MILLIS=20000 \
    "$target/release/$1-example" >"$work/log" 2>&1 &
  server=$!
  servers+=("$server")
}

# stop: asks the last server to end, and waits until it has.
stop() {
  kill "$server"
  wait "$server"
  unset 'servers[-1]'
}

# fresh_database sqlite|postgres: prints the URL of an empty database.
fresh_database() {
  local name
  case $1 in
    sqlite) echo "sqlite:$(mktemp -u "$work/XXXXXX.sqlite")" ;;
    postgres)
      name=scim_$(python3 -c 'import secrets; print(secrets.token_hex(8))')
      psql --quiet --no-psqlrc "${SCIM_TEST_POSTGRES:?the URL of a PostgreSQL server}" --command "CREATE DATABASE $name"
      echo "${SCIM_TEST_POSTGRES%/*}/$name"
      ;;
    *)
      echo "$1 is no database" >&2
      return 2
      ;;
  esac
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cleanup() {
  local status=$?
  for server in "${servers[@]}"; do
    if kill "$server" 2>/dev/null; then wait "$server" 2>/dev/null || true; fi
  done
  if [ "$status" != 0 ] && [ -f "$work/log" ]; then
    echo "--- the end of the server's log"
    tail -n 40 "$work/log"
  fi
  rm -rf "$work"
}
trap cleanup EXIT
