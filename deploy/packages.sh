# shellcheck shell=bash disable=SC2034
# Debian packages the project needs, and packages_ensure, which installs what of them is missing. Sourced by
# deploy/run.sh and tests/run.sh.

# To build the server and its browser client.
PACKAGES_BUILD=(ca-certificates cmake ninja-build gcc libc6-dev pkg-config esbuild node-llhttp
	libevent-dev libssl-dev zlib1g-dev libmsgpack-dev libhiredis-dev libpcre2-dev libjemalloc-dev)

# To test it, besides: Check; json-c to measure against; C++ for the public headers; the servers that it is run with.
PACKAGES_TEST=(git g++ check libjson-c-dev python3 python3-websockets ccache shellcheck clang clang-14 clang-tidy-14 clang-format-14
	libclang-rt-14-dev valgrind redis-server nginx haproxy python3-yaml curl procps chromium)

# To run several nodes on one machine (deploy/cluster.sh).
PACKAGES_CLUSTER=(python3 redis-server haproxy nginx)

# packages_missing NAME...: prints those that are not installed.
packages_missing() {
	comm -23 <(printf '%s\n' "$@" | sort -u) \
		<(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

# packages_ensure NAME...: installs those that are missing, as root or with sudo. Asks the archive only when some are.
packages_ensure() {
	local missing log as_root=()
	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	if ((EUID != 0)); then
		if ! command -v sudo >/dev/null; then
			echo "missing: ${missing[*]}; to install them, run this as root or with sudo installed" >&2
			return 1
		fi
		as_root=(sudo)
	fi
	echo "installing: ${missing[*]}" >&2
	log=$(mktemp)
	# An update that fails leaves the lists of before, which may do.
	"${as_root[@]}" apt-get -q -y update >"$log" 2>&1 </dev/null || true
	# Debian starts the services that it installs; ours are started by who needs them, on ports of their own.
	if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 --no-install-recommends \
		install "${missing[@]}" >>"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		echo "could not install: ${missing[*]}" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
