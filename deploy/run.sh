#!/bin/bash
# Builds liveshard and serves the examples with their page on http://localhost:3000, on a fresh Debian 12.
#
#	deploy/run.sh [OPTION]...
#
# Options are liveshard's own (--help lists them); what is given here wins over what this script sets. What is missing
# is installed first, as root or with sudo; a second run starts at once.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=packages.sh
. "$root/deploy/packages.sh"

packages_ensure "${PACKAGES_BUILD[@]}"

# build COMMAND...: runs it, and shows its output only when it fails.
build() {
	local log
	log=$(mktemp)
	if ! (cd "$root" && "$@") >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -f "$log"
		echo "the build failed: $*" >&2
		exit 1
	fi
	rm -f "$log"
}

build_folder=$root/build/release
if [ ! -x "$build_folder/server/liveshard" ]; then
	echo "building (a minute or two, the first time)" >&2
fi
if [ ! -f "$build_folder/build.ninja" ]; then
	build cmake --preset release -D LIVE_TESTS=OFF
fi
build cmake --build --preset release --target served

exec "$build_folder/server/liveshard" \
	--components "$build_folder/components" --public "$root/examples/page" \
	--client-script "$build_folder/public/live-client.js" \
	--tokens-file "$root/examples/admin_panel/tokens.json" "$@"
