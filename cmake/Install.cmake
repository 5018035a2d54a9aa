# What `cmake --install` puts where, and liblive: the same server as a library, for programs that embed it.
#
# A component needs the headers only: it is loaded into a process that has the library's functions already. So there are
# the CMake targets liveshard::component (headers) and liveshard::live (headers and library), and `pkg-config --cflags
# live` beside `pkg-config --cflags --libs live`. A component's test links liveshard::test (live-test for pkg-config), which
# has a server of its own in it, to be stepped by hand.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(live SHARED)
live_link_whole(live)
set_target_properties(live PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_include_directories(live INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# What is compiled in from outside stays inside.
target_link_options(live PRIVATE -Wl,--exclude-libs,ALL)

# live_test is made in stage/.
target_include_directories(live_test INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

add_library(live_component INTERFACE)
set_target_properties(live_component PROPERTIES EXPORT_NAME component)
target_include_directories(live_component INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/liveshard)
install(TARGETS live live_component live_test EXPORT liveshard LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT liveshard NAMESPACE liveshard:: FILE liveshard-config.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/liveshard-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/liveshard-config-version.cmake DESTINATION ${package})
# Where the prefix is from live.pc, so that an installed tree may be moved.
file(RELATIVE_PATH live_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(pc live live-test)
	configure_file(${CMAKE_SOURCE_DIR}/cmake/${pc}.pc.in ${CMAKE_BINARY_DIR}/${pc}.pc @ONLY)
	install(FILES ${CMAKE_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/live DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS liveshard RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_SOURCE_DIR}/docs/liveshard.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# The examples, ready to be served: their page with the browser client beside it, and the components.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/page/ DESTINATION ${CMAKE_INSTALL_DATADIR}/liveshard/page)
foreach(file js js.map mjs mjs.map)
	install(FILES ${CMAKE_BINARY_DIR}/public/live-client.${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/liveshard/client)
endforeach()
get_property(components GLOBAL PROPERTY LIVE_COMPONENTS)
install(TARGETS ${components} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/liveshard/components)

# What serving the examples needs and no more: deploy/run.sh builds this.
add_custom_target(served DEPENDS liveshard client_js ${components})
