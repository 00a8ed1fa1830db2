#!/bin/sh
# A primary, and a standby that can take its place.
set -eu
states=$({{postgres}}/psql -XAtq -h 10.77.0.13 -U autoctl_node -d pg_auto_failover -c "
    SELECT count(*) FROM pgautofailover.node
    WHERE health = 1 AND goalstate = reportedstate AND reportedstate IN ('primary', 'secondary')")
echo "hosts in a lasting state: $states"
[ "$states" = 2 ]
