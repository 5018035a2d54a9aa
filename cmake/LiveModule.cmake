# live_module(NAME [PATH folder] SOURCES ... [DEPENDS lower modules ...] [LIBRARIES ...])
#
# One static library for one folder, which is NAME unless PATH says otherwise (server_net, server/net). It sees the public
# headers, its own folder, and those of its DEPENDS: the sources are compiled with a view of the tree that holds just these
# folders, so an include that points up does not compile.
function(live_module name)
	cmake_parse_arguments(arg "" "PATH" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
	if(NOT arg_PATH)
		set(arg_PATH ${name})
	endif()
	add_library(live_${name} STATIC ${arg_SOURCES})
	set(view ${CMAKE_BINARY_DIR}/view/${name})
	cmake_path(GET arg_PATH PARENT_PATH above)
	file(MAKE_DIRECTORY ${view}/${above})
	file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${arg_PATH} SYMBOLIC)
	target_include_directories(live_${name} PUBLIC ${view})
	target_link_libraries(live_${name} PUBLIC live_api live_flags ${arg_LIBRARIES})
	foreach(lower ${arg_DEPENDS})
		target_link_libraries(live_${name} PUBLIC live_${lower})
	endforeach()
	set_property(GLOBAL APPEND PROPERTY LIVE_MODULES live_${name})
endfunction()

# live_link_whole(TARGET): links every module made so far, whole, so that what is public of them is there for plugins and
# embedding programs even when nothing inside calls it.
function(live_link_whole target)
	get_property(modules GLOBAL PROPERTY LIVE_MODULES)
	list(JOIN modules "," names)
	set_target_properties(${target} PROPERTIES LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,${names}")
	target_link_libraries(${target} PRIVATE ${modules})
endfunction()

# live_component(NAME SOURCES ...): a component plugin NAME.so in <build>/components, as an author would build it.
function(live_component name)
	cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
	add_library(component_${name} MODULE ${arg_SOURCES})
	target_link_libraries(component_${name} PRIVATE live_api live_flags)
	set_target_properties(component_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/components)
	set_property(GLOBAL APPEND PROPERTY LIVE_COMPONENTS component_${name})
endfunction()

# live_test(NAME SOURCES ... LINKS ... [TIMEOUT seconds] [LABELS ...] [ARGS ...]): a Check program run by ctest.
function(live_test name)
	if(NOT LIVE_TESTS)
		return()
	endif()
	cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINKS;LABELS;ARGS" ${ARGN})
	if(NOT arg_TIMEOUT)
		set(arg_TIMEOUT 60)
	endif()
	if(NOT arg_LABELS)
		set(arg_LABELS unit)
	endif()
	if(NOT TARGET live_check)
		pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET GLOBAL check)
		add_library(live_check OBJECT ${CMAKE_SOURCE_DIR}/tests/unit/mark_point.c)
		target_link_libraries(live_check PUBLIC live_flags PkgConfig::CHECK)
		# Check's own macros are not clean under these.
		target_compile_options(live_check INTERFACE -Wno-conversion -Wno-sign-conversion -Wno-shadow)
		target_link_options(live_check INTERFACE -Wl,--wrap=_mark_point)
	endif()
	add_executable(${name} ${arg_SOURCES})
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
	target_link_libraries(${name} PRIVATE ${arg_LINKS} live_flags live_check)
	add_test(NAME ${name} COMMAND ${name} ${arg_ARGS})
	set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# live_fuzzer(NAME SOURCES ... LINKS ... CORPUS folder): a libFuzzer program, and a test that runs it for LIVE_FUZZ_SECONDS
# from its corpus. What it finds on the way is kept in <build>/fuzz/NAME.found, what breaks it in <build>/fuzz/NAME-*.
function(live_fuzzer name)
	if(NOT LIVE_FUZZ)
		return()
	endif()
	cmake_parse_arguments(arg "" "CORPUS" "SOURCES;LINKS" ${ARGN})
	add_executable(${name} ${arg_SOURCES})
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
	target_link_libraries(${name} PRIVATE ${arg_LINKS} live_flags)
	target_link_options(${name} PRIVATE -fsanitize=fuzzer)
	set(folder ${CMAKE_BINARY_DIR}/fuzz)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${folder})
	file(MAKE_DIRECTORY ${folder}/${name}.found)
	cmake_path(ABSOLUTE_PATH arg_CORPUS)
	add_test(NAME ${name} COMMAND ${name} -max_total_time=${LIVE_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=2048
		-artifact_prefix=${folder}/${name}- ${folder}/${name}.found ${arg_CORPUS})
	math(EXPR limit "${LIVE_FUZZ_SECONDS} + 60")
	set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT ${limit})
endfunction()
