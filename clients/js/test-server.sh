#!/bin/sh
# The browser client against a real server, with node's own test runner (node 18 or newer). Exits non-zero when one fails.
#
#	clients/js/test-server.sh SERVER COMPONENTS
#
# SERVER is the liveshard program, COMPONENTS the folder of the components that integration tests have.
# Environment: ESBUILD, the bundler to use (default: esbuild on the PATH).
set -eu

LIVE_SERVER=$(realpath "$1")
LIVE_COMPONENTS=$(realpath "$2")
export LIVE_SERVER LIVE_COMPONENTS

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${ESBUILD:-esbuild}" test/server/*.test.ts --bundle --platform=node --format=esm --target=node18 --sourcemap=inline \
	--out-extension:.js=.mjs --log-level=warning --outdir="$work"
node --enable-source-maps --test "$work"/*.test.mjs
