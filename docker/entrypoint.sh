#!/bin/sh
# What the image does:
#   serve             make the store where the database holds none, then serve it
#   healthy           succeed if the server answers
#   answers ADDRESS   succeed if an address does
#   anything else     a command of kindred's
set -eu

answers() {
    exec python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=4)' "$1"
}

case "${1:-}" in
healthy)
    answers "http://127.0.0.1:${KINDRED_PORT:-8765}/v1/health"
    ;;
answers)
    answers "$2"
    ;;
serve)
    python -c 'import kindred; kindred.connect().close()'
    ;;
esac
exec kindred "$@"
