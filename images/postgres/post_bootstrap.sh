#!/bin/sh
# Patroni's post_bootstrap: runs the SQL once, on the leader of a new cluster, in the order of the
# files' names. A failure undoes the bootstrap. Called with the superuser's connection string,
# which holds no password: the connection is local, and the peer is the operating system's.
set -eu
for statements in /etc/nova/sql/*.sql; do
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file="$statements" "$1"
done
