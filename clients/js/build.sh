#!/bin/sh
# Bundles the browser client into OUTDIR: live-client.js (a script with the global FluxstackLive) and live-client.mjs.
# Usage: build.sh OUTDIR        Environment: ESBUILD, the bundler to use (default: esbuild on the PATH).
set -eu

if [ $# -ne 1 ]; then
	echo "usage: $0 OUTDIR" >&2
	exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

bundle() {
	"${ESBUILD:-esbuild}" src/index.ts --bundle --minify --sourcemap --target=es2020 --charset=utf8 \
		--log-level=warning "$@"
}
bundle --format=iife --global-name=FluxstackLive --outfile="$out/live-client.js"
bundle --format=esm --outfile="$out/live-client.mjs"
