#!/bin/sh
# The monitor: made at its first start, run again at later ones.
set -eu
mkdir -p "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
# Nothing of this service runs when it starts; a killed host's process numbers belong to others by now.
rm -rf "$PGDATA/postmaster.pid" "$XDG_RUNTIME_DIR"/*
if [ -e "$HOME/.config" ]; then
    exec pg_autoctl run --pgdata "$PGDATA"
fi
initdb --auth=trust --no-sync --pgdata "$PGDATA" >/dev/null
cat "$HOME/monitor.conf" >>"$PGDATA/postgresql.conf"
exec pg_autoctl create monitor --pgdata "$PGDATA" --pgctl "{{postgres}}/pg_ctl" \
    --hostname {{address}} --pgport 5432 --auth trust --no-ssl --run
