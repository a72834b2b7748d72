#!/bin/sh
# Makes a cluster in an empty $PGDATA, runs what is in /docker-entrypoint-initdb.d once, and becomes
# the server: what the stock image of PostgreSQL does, as far as this example uses it.
#
#   POSTGRES_PASSWORD  the superuser's password; without one nothing starts
#   POSTGRES_USER      the superuser (postgres)
#   POSTGRES_DB        the database that is made for it (its name)
#
# Whoever is inside the pod is trusted, whoever comes from elsewhere needs the password.
set -eu

: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
initialisation=/docker-entrypoint-initdb.d

as_superuser() {
    psql --no-password --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" "$@"
}

make_cluster() {
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "docker-entrypoint.sh: POSTGRES_PASSWORD is empty, and the superuser needs one" >&2
        exit 1
    fi
    printf '%s\n' "$POSTGRES_PASSWORD" |
        initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=/dev/stdin
    # After initdb's own lines, which trust the local ones.
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
}

run_initialisation() {
    # Without a network, so that nobody finds it half made.
    pg_ctl start --wait --silent --pgdata="$PGDATA" --options="-c listen_addresses=''"
    if [ "$POSTGRES_DB" != postgres ]; then
        as_superuser --quiet --dbname=postgres --set=name="$POSTGRES_DB" <<'END'
CREATE DATABASE :"name";
END
    fi
    for file in "$initialisation"/*; do
        case $file in
            *.sh)
                echo "docker-entrypoint.sh: running $file"
                # One that cannot be executed, such as a ConfigMap's, is read by this shell.
                if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql)
                echo "docker-entrypoint.sh: running $file"
                as_superuser --dbname="$POSTGRES_DB" --file="$file" ;;
        esac
    done
    pg_ctl stop --wait --silent --mode=fast --pgdata="$PGDATA"
}

if [ "${1:-}" = postgres ]; then
    mkdir -p "$PGDATA"
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres "$PGDATA" /var/run/postgresql
        chmod 0700 "$PGDATA"
        exec gosu postgres "$0" "$@"
    fi
    if ! [ -s "$PGDATA/PG_VERSION" ]; then
        make_cluster
        run_initialisation
    fi
fi
exec "$@"
