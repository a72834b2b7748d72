#!/bin/sh
# Makes a server on an empty volume, then becomes the server: pod 0 the leader, any other a standby
# that streams from it. Its environment:
#   DATABASE              the one database
#   DATABASE_OWNER        the role that owns it, and does not log in
#   APPLICATION_ROLE      the role that the services use
#   POSTGRES_PASSWORD     the superuser's password
#   REPLICATION_PASSWORD  the standby's
#   APPLICATION_PASSWORD  the services'
set -eu

# PostgreSQL insists on a directory that is its own; the volume's root may be the provisioner's.
volume=/var/lib/postgresql
data=$volume/data
new=$volume/new

# Where a standby finds its leader. The name by which it is known there is its pod's.
passwords=/run/postgresql/passwords
leader="host=postgres-0.postgres-pods port=5432 user=replicator passfile=$passwords"
leader="$leader application_name=$HOSTNAME"

# A predecessor that was killed may still run for a moment, in another container on this volume,
# where PostgreSQL's own interlock does not reach. The lock is held for as long as this process is.
exec 9>"$volume/in-use.lock"
flock 9

# Written anew at each start, so that a change here takes effect.
write_pg_hba() {
    cat >"$1/pg_hba.conf" <<END
# Whoever is inside the pod, as the operating system's user.
local all postgres peer
# The superuser by a port-forward, which arrives at the pod's own loopback; never by the network.
host all postgres 127.0.0.1/32 scram-sha-256
host all postgres ::1/128 scram-sha-256
# The standby.
host replication replicator all scram-sha-256
# The services. What is not listed is refused.
host $DATABASE $APPLICATION_ROLE all scram-sha-256
END
}

make_leader() {
    printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$new" --username=postgres \
        --pwfile=/dev/stdin --auth-local=peer --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --data-checksums --no-instructions
    write_pg_hba "$new"
    # Without a network, so that nobody finds it half made.
    pg_ctl start --wait --pgdata="$new" \
        --options="-c config_file=/etc/nova/postgresql.conf -c listen_addresses=''"
    for statements in roles replication database; do
        psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres \
            --file="/etc/nova/$statements.sql"
    done
    pg_ctl stop --wait --mode=fast --pgdata="$new"
}

make_standby() {
    pg_basebackup --pgdata="$new" --dbname="$leader" --wal-method=stream --checkpoint=fast
    touch "$new/standby.signal"
}

(umask 077 && printf '*:*:*:replicator:%s\n' "$REPLICATION_PASSWORD" >"$passwords")

if ! [ -d "$data" ]; then
    # Complete or not at all: it gets its name once everything is in it.
    rm -rf "$new"
    case $HOSTNAME in
    *-0) make_leader ;;
    *) make_standby ;;
    esac
    mv "$new" "$data"
fi

write_pg_hba "$data"
# A leader takes no notice of where it would find one. It keeps enough for a standby that was away.
exec postgres -D "$data" -c config_file=/etc/nova/postgresql.conf \
    -c primary_conninfo="$leader" -c wal_keep_size=128MB
