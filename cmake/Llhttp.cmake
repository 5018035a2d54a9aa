# live_llhttp: Debian ships llhttp as generated C to compile in (package node-llhttp); its warnings are not ours.
find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(LLHTTP_INCLUDES llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
if(NOT LLHTTP_SOURCES OR NOT LLHTTP_INCLUDES)
	message(FATAL_ERROR "llhttp is not there: install the package node-llhttp")
endif()
add_library(live_llhttp STATIC ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c ${LLHTTP_SOURCES}/llhttp.c)
target_include_directories(live_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDES})
target_compile_options(live_llhttp PRIVATE -w)
