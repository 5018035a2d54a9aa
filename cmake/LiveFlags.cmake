# live_flags: what everything is compiled with. Warnings are the only thing that is global; the rest follows the preset.
add_library(live_flags INTERFACE)
target_compile_definitions(live_flags INTERFACE _GNU_SOURCE)
target_compile_options(live_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror -fno-strict-aliasing
	$<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes -Wvla>)

if(LIVE_SANITIZE)
	target_compile_options(live_flags INTERFACE -fsanitize=${LIVE_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all)
	target_link_options(live_flags INTERFACE -fsanitize=${LIVE_SANITIZE})
endif()
if(LIVE_FUZZ)
	target_compile_options(live_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LIVE_COVERAGE)
	target_compile_options(live_flags INTERFACE --coverage -O0)
	target_link_options(live_flags INTERFACE --coverage)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
	# What Debian's hardening=+all gives, with link-time optimisation.
	include(CheckIPOSupported)
	check_ipo_supported(RESULT has_lto OUTPUT why LANGUAGES C)
	if(has_lto)
		set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
	endif()
	target_compile_options(live_flags INTERFACE -fstack-protector-strong -fstack-clash-protection -fcf-protection)
	target_compile_definitions(live_flags INTERFACE _FORTIFY_SOURCE=2)
	target_link_options(live_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(LIVE_JEMALLOC)
	pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
	# It takes the place of functions that libc has too: to a linker that drops what it does not need it seems unused.
	set_property(TARGET PkgConfig::JEMALLOC APPEND PROPERTY INTERFACE_LINK_OPTIONS -Wl,--no-as-needed)
endif()
