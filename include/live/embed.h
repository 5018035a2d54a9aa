/*
 * embed - everything that a program needs to embed a server; include this one. Threads: as each header says.
 */
#ifndef LIVE_EMBED_H
#define LIVE_EMBED_H

#include <live/connections.h>
#include <live/live.h>
#include <live/monitor.h>
#include <live/registry.h>
#include <live/rooms.h>
#include <live/security.h>
#include <live/server.h>
#include <live/transport.h>

#endif
