#!/bin/bash
# install.sh BUILD-FOLDER CMAKE CC CTEST: installs the build into a temporary folder, and builds a component and a program
# against it, by pkg-config and by find_package, in C and (the headers) in C++; the installed server must take both.
set -euo pipefail

build=$1 cmake=$2 cc=$3 ctest=$4
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
	echo "$*" >&2
	exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
cd "$work"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name live.pc)")
export PKG_CONFIG_PATH
libraries=$(pkg-config --variable=libdir live)

for file in bin/liveshard share/man/man1/liveshard.1 share/liveshard/page/index.html share/liveshard/client/live-client.{js,js.map,mjs,mjs.map}; do
	[ -s "$prefix/$file" ] || fail "$file was not installed"
done

echo "== by pkg-config"
mkdir by-pkg-config
read -ra cflags < <(pkg-config --cflags live)
read -ra libs < <(pkg-config --cflags --libs live)
"$cc" -std=c17 -Wall -Wextra -Werror -fPIC -shared "${cflags[@]}" "$here/greeter.c" -o by-pkg-config/greeter.so
"$cc" -std=c17 -Wall -Wextra -Werror "$here/../../examples/embed/embed.c" "${libs[@]}" -o by-pkg-config/embed
LD_LIBRARY_PATH=$libraries python3 -B "$here/embedded.py" by-pkg-config/embed

echo "== by find_package"
"$cmake" -S "$here/outside" -B by-cmake -D CMAKE_PREFIX_PATH="$prefix" -D CMAKE_C_COMPILER="$cc" >log || { cat log; exit 1; }
"$cmake" --build by-cmake >log || { cat log; exit 1; }
python3 -B "$here/embedded.py" by-cmake/embed

echo "== in C++, with every public header"
(cd "$prefix/include" && printf '#include <%s>\n' live/*.h) >every.h
read -ra test_libs < <(pkg-config --cflags --libs live)
"${CXX:-c++}" -std=c++17 -Wall -Wextra -Wpedantic -Werror -I. "$here/every.cpp" "${test_libs[@]}" -o every
[ "$(LD_LIBRARY_PATH=$libraries ./every)" = registered ] || fail "the C++ program does not do its work"

echo "== the installed server takes the components"
for folder in by-pkg-config by-cmake; do
	mkdir "$folder/components"
	cp "$folder/greeter.so" "$folder/components"
	"$prefix/bin/liveshard" --check --components "$folder/components" || fail "liveshard refuses greeter.so"
done
"$prefix/bin/liveshard" --check --components "$(pkg-config --variable=components live)"
version=$("$prefix/bin/liveshard" --version)
[[ $version == *"$(pkg-config --modversion live)"* ]] || fail "liveshard is '$version', live.pc another version"

echo "== the installed server finds the browser client"
"$prefix/bin/liveshard" --host 127.0.0.1 --port 0 >served &
server=$!
for _ in $(seq 200); do
	port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' served)
	[ -z "$port" ] || break
	sleep 0.05
done
for file in js js.map mjs mjs.map; do
	curl -sf "http://127.0.0.1:$port/live-client.$file" | cmp - "$prefix/share/liveshard/client/live-client.$file" ||
		fail "/live-client.$file is not served"
done
kill $server
wait $server

echo "== a new component: written, built, tested, checked, served"
"$prefix/bin/liveshard" new to_do
for way in package pkg-config; do
	if [ "$way" = package ]; then finds=(-D "CMAKE_PREFIX_PATH=$prefix"); else finds=(-D CMAKE_DISABLE_FIND_PACKAGE_liveshard=ON); fi
	"$cmake" -S to_do -B "to_do/$way" -D CMAKE_C_COMPILER="$cc" -D CMAKE_C_FLAGS=-Werror "${finds[@]}" >log || { cat log; exit 1; }
	"$cmake" --build "to_do/$way" >log || { cat log; exit 1; }
	"$ctest" --test-dir "to_do/$way" --output-on-failure --no-tests=error >log || { cat log; exit 1; }
	"$prefix/bin/liveshard" check "to_do/$way/to_do.so" | grep -q "component 'ToDo'; state: count; actions: add" || fail "check of to_do.so"
	mkdir "to_do/$way/components"
	cp "to_do/$way/to_do.so" "to_do/$way/components"
	"$prefix/bin/liveshard" --check --components "to_do/$way/components"
done

echo "== the libraries export the public functions and nothing else"
for library in live live_test; do
	mapfile -t headers < <(find "$prefix/include/live" -name '*.h' ! -name "$([ $library = live_test ] || echo test.h)")
	exported=$(nm -D --defined-only "$libraries/lib$library.so" | awk '{print $NF}' | sort -u)
	others=$(grep -v '^live_' <<<"$exported" || true)
	[ -z "$others" ] || fail "lib$library.so exports: $others"
	declared=$(sed 's|/\*.*||' "${headers[@]}" | grep -oP '^LIVE_API [^;]*?\K\blive_\w+(?=\()' | sort -u)
	missing=$(comm -23 <(echo "$declared") <(echo "$exported"))
	[ -z "$missing" ] || fail "lib$library.so lacks: $missing"
	echo "$(wc -l <<<"$declared") public functions in lib$library.so"
done
