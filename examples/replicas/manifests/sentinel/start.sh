#!/bin/sh
# Makes a Sentinel's file where it may write it, then becomes the Sentinel. Its environment:
#   REDIS_PASSWORD  what the servers demand
set -eu

domain=redis-pods.replicas.svc.cluster.local
file=/run/sentinel/sentinel.conf

is_primary() {
    REDISCLI_AUTH=$REDIS_PASSWORD timeout 5 redis-cli -h "$1" role 2>/dev/null | grep -qx master
}

# Sentinel keeps in its file what it learns; a container that starts again goes on with that.
if ! [ -f "$file" ]; then
    # It ends at once if it is told a name that does not exist yet.
    until getent hosts "redis-0.$domain" >/dev/null; do
        sleep 1
    done
    primary=redis-0.$domain
    if is_primary "redis-1.$domain" && ! is_primary "$primary"; then
        primary=redis-1.$domain
    fi
    cp /etc/sentinel/sentinel.conf "$file.new"
    cat >>"$file.new" <<END
# The same after a new start, or the others would count the pod twice.
sentinel myid $(printf %s "$HOSTNAME" | sha1sum | cut -c -40)
# Two of three have to agree that it is away.
sentinel monitor mymaster $primary 6379 2
sentinel auth-pass mymaster $REDIS_PASSWORD
# More than a pod takes to be replaced.
sentinel down-after-milliseconds mymaster 30000
sentinel failover-timeout mymaster 60000
END
    mv "$file.new" "$file"
fi
exec redis-server "$file" --sentinel
