#!/bin/bash
# Three nodes behind HAProxy, then behind nginx, 300 clients under load, and faults, one after the other. Counts.
#
#	tests/chaos.sh [--rounds N] [--seed S] [--balancers LIST] [--faults LIST] [--clients N] [...]
#
#	--rounds N      each fault N times behind each balancer, in shuffled order (1)
#	--overlaps N    so many rounds more of two faults at once, in each of the N (3, but with --rounds 1: 0)
#	--seed S        of the order, the victims and the pairs; printed (a random one)
#	--balancers L   of haproxy,nginx (both)
#	--faults L      of those below (all but the last two); two at once with + between them: kill+redis_cut
#	--clients N     in rooms of ten; one in ten has the singleton, too (300)
#	--pace S        seconds between two increments of a client (3)
#	--setting W     one more word for all nodes (--setting=--shards --setting=2)
#	--verbose       tell the nodes' last words even if nothing was found
#	--self-test     plant violations instead, and see that each is found
#	--program F --components D   another build than build/release
#
#	kill             a node is killed, and started again after its lease
#	pause            a node sleeps for two leases
#	redis_restart    Redis is ended and started
#	redis_kill       Redis is killed (SIGKILL), and comes back with its file
#	redis_cut        nobody reaches Redis for one and a half leases
#	balancer         takes its configuration anew
#	rolling_restart  all nodes are ended by SIGTERM and started, one by one
#	rolling_upgrade  all nodes are replaced by new processes, one by one
#	failover         only if asked for: the master of Redis is killed, a sentinel promotes its replica
#	redis_empty      only if asked for: Redis is killed, and comes back without its file
#
# The last line is "rounds R acknowledged A lost L doubled D diverged V recovery_ms_max M"; the exit status is 0 only with L,
# D and V at 0, 1 if not, 2 if it could not run. docs/clustering.md (Chaos) says what is counted. Nothing is left behind.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=../deploy/packages.sh
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
	packages_ensure "${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}"
	(cd "$root" && cmake --preset release -D LIVE_TESTS=ON &&
		cmake --build --preset release --target liveshard test_component_share test_component_tally) >&2
fi
exec python3 -B "$root/tests/chaos/chaos.py" "$@"
