#!/bin/bash
# usage: by_run.sh KUBECTL [ARGUMENT...] - one pod of a client's image for each check
set -euo pipefail
k=("$@")
redis_password=$("${k[@]}" get secret -n nova-redis redis-credentials -o jsonpath='{.data.REDIS_PASSWORD}' | base64 -d)
app_password=$("${k[@]}" get secret -n nova-database postgres-credentials -o jsonpath='{.data.APP_USER_PASSWORD}' | base64 -d)

# NAME IMAGE COMMAND...: the output of a command in a pod of its own
in_pod() {
    local name=$1 image=$2
    shift 2
    "${k[@]}" run "check-$name" -n nova-services --rm -i --quiet --restart=Never \
        --image="docker.io/nova/$image" --image-pull-policy=IfNotPresent --command -- "$@" 2>&1 </dev/null
}
# EXPECTED, then as for in_pod
expect() {
    local wanted=$1 said
    shift
    said=$(in_pod "$@") || true
    [[ $said == *"$wanted"* ]] || { echo "$1: $said" >&2; exit 1; }
    echo "ok $1"
}

redis='redis-service.nova-redis'
expect PONG redis redis:7 redis-cli -h $redis -a "$redis_password" --no-auth-warning ping
expect NOAUTH redis-without redis:7 redis-cli -h $redis ping
for database in nova_auth nova_messaging; do
    at="host=postgres-primary.nova-database user=app_user dbname=$database"
    expect 1 "${database/_/-}" postgres:15 psql "$at password=$app_password" -Atc 'select 1'
    expect 'authentication failed' "${database/_/-}-wrong" postgres:15 psql "$at password=wrong" -Atc 'select 1'
done
for name in redis-service.nova-redis postgres-primary.nova-database user-service.nova-services search-service.nova-services; do
    expect . "name-${name%%.*}" redis:7 getent hosts "$name.svc.cluster.local"
done
for at in user-service:8080 auth-service:8084 search-service:8086 streaming-api:8081 messaging-service:3000; do
    expect 200 "health-${at%%:*}" service:1 \
        python3 -c "import urllib.request as u; print(u.urlopen('http://$at/health').status)"
done
