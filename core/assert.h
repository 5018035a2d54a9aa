/*
 * assert - for our own mistakes only: a broken invariant ends the process, in production builds too.
 *
 * What a peer sends or the world does (no memory, no descriptors) is never asserted. debug_assert is for measured hot
 * paths: it is off when NDEBUG is set. Threads: [any].
 */
#ifndef CORE_ASSERT_H
#define CORE_ASSERT_H

_Noreturn void assert_failed(const char *expression, const char *file, int line);

#define assert_always(expression) ((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#ifdef NDEBUG
#define debug_assert(expression) ((void)sizeof(expression))
#else
#define debug_assert(expression) assert_always(expression)
#endif

#endif
