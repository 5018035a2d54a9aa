#!/bin/sh
# The example page in a real browser against the real server.
#
#	tests/e2e/run.sh [SERVER [COMPONENTS [PUBLIC]]]
#
# SERVER is the liveshard program, COMPONENTS the folder of the example components' plugins (default for both: those of
# build/release, else of build/dev), PUBLIC the folder of the page (default: examples/page). Needs node 18, Debian's
# chromium and esbuild; installs its two npm packages itself.
# Environment: CHROMIUM, ESBUILD: the programs to use (default: those on the PATH).
set -eu

if [ $# -gt 3 ]; then
	echo "usage: $0 [SERVER [COMPONENTS [PUBLIC]]]" >&2
	exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/release
[ -x "$build/server/liveshard" ] || build=$root/build/dev
LIVE_SERVER=$(realpath "${1:-$build/server/liveshard}")
LIVE_COMPONENTS=$(realpath "${2:-$build/components}")
page=$(realpath "${3:-$root/examples/page}")
CHROMIUM=${CHROMIUM:-$(command -v chromium)}
export LIVE_SERVER LIVE_COMPONENTS CHROMIUM

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The tests serve a copy of the page with this tree's client beside it, and touch neither.
LIVE_PUBLIC=$work/public
export LIVE_PUBLIC
mkdir "$LIVE_PUBLIC"
cp -R "$page/." "$LIVE_PUBLIC"
"$root/clients/js/build.sh" "$LIVE_PUBLIC"

cd "$here"
if ! npm ls --silent >/dev/null 2>&1; then
	npm ci --no-audit --no-fund
fi
TMPDIR=$work node --test page.test.mjs cards.test.mjs absent.test.mjs types.test.mjs
