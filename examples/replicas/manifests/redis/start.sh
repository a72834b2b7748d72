#!/bin/sh
# Becomes a Redis: the primary, or a replica of whoever is. Its environment:
#   REDIS_PASSWORD  demanded of clients, and given to the primary
set -eu

domain=redis-pods.replicas.svc.cluster.local

# The Sentinels know who leads now. While there are none, pod 0 does. They demand no password.
primary=$(env -u REDISCLI_AUTH timeout 5 redis-cli -h sentinel -p 26379 \
    sentinel get-master-addr-by-name mymaster 2>/dev/null | head -n 1) || true
case $primary in
*."$domain") ;;
*) primary=redis-0.$domain ;;
esac
if [ "$primary" = "$HOSTNAME.$domain" ]; then
    follows=
else
    follows="replicaof $primary 6379"
fi

# The password comes by standard input, so that no list of processes shows it; the shell becomes
# Redis, which is then the first process and gets its signals.
exec redis-server /etc/redis/redis.conf - <<END
requirepass "$REDIS_PASSWORD"
masterauth "$REDIS_PASSWORD"
# By its name, which outlives the pod; its address does not.
replica-announce-ip $HOSTNAME.$domain
# A primary that is back has another address. The replica soon gives the former one up, and the
# primary does not wait for further replicas, for there are none.
repl-ping-replica-period 2
repl-timeout 6
repl-diskless-sync-delay 0
$follows
END
