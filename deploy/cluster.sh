#!/bin/bash
# Redis, nodes, a balancer and the page on one machine, without containers; cleans up after itself.
#
#	deploy/cluster.sh [--nodes N] [--port P] [--seconds S] [--balancer haproxy|nginx] [--kill]
#
#	--nodes N     nodes (3)
#	--port P      where the balancer listens on 127.0.0.1 (8080; 0: a free one)
#	--seconds S   ends by itself after so many seconds (0: on Ctrl-C or SIGTERM)
#	--balancer B  haproxy (the default) or nginx
#	--kill        kills a node now and then, and starts it again
#	--program F   another server than build/release/server/liveshard
#	--components D  other components than those of the examples
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=packages.sh
. "$root/deploy/packages.sh"

ask_build=yes
for word in "$@"; do
	case $word in
	-h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
	--program*) ask_build='' ;;
	esac
done
packages_ensure "${PACKAGES_CLUSTER[@]}"
if [ -n "$ask_build" ]; then
	if [ ! -x "$root/build/release/server/liveshard" ] || [ ! -d "$root/build/release/components" ]; then
		packages_ensure "${PACKAGES_BUILD[@]}"
		(cd "$root" && cmake --preset release -D LIVE_TESTS=OFF && cmake --build --preset release --target served) >&2
	fi
fi
exec python3 -B "$root/deploy/cluster_main.py" "$@"
