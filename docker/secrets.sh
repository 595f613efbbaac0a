#!/bin/sh
# Draw the password of Neo4j, unless there is one, and write it for who reads it:
#   neo4j_auth       neo4j/PASSWORD, as the image of Neo4j wants it, for its user (7474)
#   neo4j_password   the password alone, for kindred's user (10001)
# To choose it, before the first start:
#   printf %s "$PASSWORD" | docker compose run --rm -T secrets choose
set -eu
umask 077
cd "${KINDRED_SECRETS:-/run/kindred}"

if [ -s neo4j_password ]; then
    exit 0
fi
if [ "${1:-}" = choose ]; then
    password=$(cat)
else
    password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
fi
case "$password" in
????????*) ;;
*)
    echo "the password must have 8 characters or more" >&2
    exit 1
    ;;
esac
case "$password" in
*/*)
    echo "the password must not hold a /: the image of Neo4j would end it there" >&2
    exit 1
    ;;
esac
printf 'neo4j/%s' "$password" >neo4j_auth
printf '%s' "$password" >neo4j_password.new
chown 7474:7474 neo4j_auth
chown 10001:10001 neo4j_password.new
chmod 0400 neo4j_auth neo4j_password.new
# Last, and at once: this file says that all is written.
mv neo4j_password.new neo4j_password
