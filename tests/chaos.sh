#!/bin/bash
# Three nodes behind HAProxy, then behind nginx, 300 clients under load, and faults: a node killed, one paused beyond its lease,
# Redis restarted, Redis cut off, the balancer reloaded, all nodes restarted one by one, all nodes upgraded one by one. Counts.
#
#	tests/chaos.sh [--rounds N] [--clients N] [--balancers LIST] [--faults LIST] [--program FILE --components DIR]
#
# A round is one fault; --rounds N has each fault N times behind each balancer. The last line is
# "rounds R acknowledged A lost L doubled D diverged V recovery_ms_max M"; the exit status is 0 only with L, D and V at 0.
# docs/clustering.md (Chaos) says what is counted.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../deploy/packages.sh
. "$root/deploy/packages.sh"

case " $* " in
*" --help "* | *" -h "*) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
*" --program"*) ;;
*)
	packages_ensure "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}"
	(cd "$root" && cmake --preset release -D LIVE_TESTS=ON && cmake --build --preset release) >&2
	;;
esac
packages_ensure "${PACKAGES_CLUSTER[@]}"
exec python3 -B "$root/tests/chaos/chaos.py" "$@"
