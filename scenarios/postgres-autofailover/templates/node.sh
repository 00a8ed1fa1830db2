#!/bin/sh
# A data host: made and registered with the monitor at its first start, run again at later ones.
set -eu
mkdir -p "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
# Nothing of this service runs when it starts; a killed host's process numbers belong to others by now.
rm -rf "$PGDATA/postmaster.pid" "$XDG_RUNTIME_DIR"/*
if [ -e "$HOME/.config" ]; then
    exec pg_autoctl run --pgdata "$PGDATA"
fi
monitor="postgresql://autoctl_node@10.77.0.13:5432/pg_auto_failover"
if [ {{number}} = 1 ]; then
    # The other host copies these from here.
    initdb --auth=trust --no-sync --pgdata "$PGDATA" >/dev/null
    cat "$HOME/node.conf" >>"$PGDATA/postgresql.conf"
    # pg_autoctl's own entries do not let pg_rewind in: a host that comes back would copy everything anew.
    echo "host all all 10.77.0.0/24 trust" >>"$PGDATA/pg_hba.conf"
else
    # The first that registers is the primary.
    until [ "$(psql -XAtq -d "$monitor" -c 'SELECT count(*) FROM pgautofailover.node')" = 1 ]; do
        sleep 0.1
    done
fi
case "{{sync}}" in
on) quorum=true ;;
off) quorum=false ;;
*)
    echo "sync must be on or off, not '{{sync}}'" >&2
    exit 1
    ;;
esac
pg_autoctl create postgres --pgdata "$PGDATA" --pgctl "{{postgres}}/pg_ctl" --monitor "$monitor" \
    --name {{host}} --hostname {{address}} --pgport 5432 --auth trust --no-ssl \
    --username firedrill --dbname firedrill --replication-quorum "$quorum"
pg_autoctl config set --pgdata "$PGDATA" timeout.network_partition_timeout {{partition_timeout}}
exec pg_autoctl run --pgdata "$PGDATA"
