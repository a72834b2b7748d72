#!/bin/bash
# usage: by_exec.sh KUBECTL [ARGUMENT...] - in the pods that are there, several checks in an exec
set -euo pipefail
k=("$@")
app_password=$("${k[@]}" get secret -n nova-database postgres-credentials -o jsonpath='{.data.APP_USER_PASSWORD}' | base64 -d)

# The pod has the password in $REDISCLI_AUTH.
said=$("${k[@]}" exec -n nova-redis redis-0 -c redis -- sh -c 'redis-cli ping; env -u REDISCLI_AUTH redis-cli ping' 2>&1)
[[ $said == *PONG*NOAUTH* ]] || { echo "redis: $said" >&2; exit 1; }
echo "ok redis"

for database in nova_auth nova_messaging; do
    at="host=postgres-primary.nova-database user=app_user dbname=$database"
    said=$("${k[@]}" exec -n nova-database postgres-0 -c postgres -- sh -c \
        "psql '$at password=$app_password' -Atc 'select 1'; psql '$at password=wrong' -Atc 'select 1' 2>&1 || true")
    [[ $said == 1*'authentication failed'* ]] || { echo "$database: $said" >&2; exit 1; }
    echo "ok $database"
done

# shellcheck disable=SC2016 # it is the pod's shell that expands it
said=$("${k[@]}" exec -n nova-services deploy/user-service -- sh -c \
    'for each in redis-service.nova-redis postgres-primary.nova-database user-service.nova-services search-service.nova-services
     do getent hosts $each.svc.cluster.local >/dev/null && echo resolves; done')
[[ $(grep -c resolves <<<"$said") == 4 ]] || { echo "names: $said" >&2; exit 1; }
echo "ok names"

said=$("${k[@]}" exec -n nova-services deploy/user-service -- python3 -c '
import urllib.request
for at in "user-service:8080", "auth-service:8084", "search-service:8086", "streaming-api:8081", "messaging-service:3000":
    print(at, urllib.request.urlopen(f"http://{at}/health").status)')
[[ $(grep -c ' 200' <<<"$said") == 5 ]] || { echo "health: $said" >&2; exit 1; }
echo "ok health"
