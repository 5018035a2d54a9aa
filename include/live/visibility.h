/*
 * visibility - what is public. All else is built with hidden visibility, so that a plugin can use just what the headers
 * of this folder declare. Threads: [any].
 */
#ifndef LIVE_VISIBILITY_H
#define LIVE_VISIBILITY_H

#define LIVE_API __attribute__((visibility("default")))

#endif
