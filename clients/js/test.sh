#!/bin/sh
# Unit tests of the browser client, with node's own test runner (node 18 or newer). Exits non-zero when one fails.
# Environment: ESBUILD, the bundler to use (default: esbuild on the PATH).
set -eu

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${ESBUILD:-esbuild}" test/*.test.ts --bundle --platform=node --format=esm --target=node18 --sourcemap=inline \
	--out-extension:.js=.mjs --log-level=warning --outdir="$work"
node --enable-source-maps --test "$work"/*.test.mjs
