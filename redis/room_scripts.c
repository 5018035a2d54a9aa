#include "redis/room_scripts.h"

#define TEXT(literal) .text = {literal, sizeof(literal) - 1}

/*
 * What is there: state, v, e, s, and m[6], the asker's own acknowledgement; and counts what was written without
 * counting. A state that is gone takes the acknowledgements along: they are of what was in it. Needs ARGV[1] and fresh,
 * ttl.
 */
#define LOOK                                                                                        \
	"local function text(n) return string.format('%.0f', n) end\n"                              \
	"local function keep(key) if ttl > 0 then redis.call('EXPIRE', key, ttl) end end\n"         \
	"local state = redis.call('GET', KEYS[1])\n"                                                \
	"local m = redis.call('HMGET', KEYS[2], 'v', 'h', 'e', 's', 'w', 'a:' .. ARGV[1])\n"        \
	"local v, e, s = tonumber(m[1] or '0'), m[3] or '', m[4] or ''\n"                           \
	"if not state and v > 0 then\n"                                                             \
	"  redis.call('DEL', KEYS[2])\n"                                                            \
	"  v, e, s, m = 0, '', '', {}\n"                                                            \
	"elseif state and redis.sha1hex(state) ~= m[2] then\n"                                      \
	"  if v == 0 then e = fresh end\n"                                                          \
	"  v, s = v + 1, ''\n"                                                                      \
	"  redis.call('HSET', KEYS[2], 'v', text(v), 'h', redis.sha1hex(state), 'e', e, 's', '')\n" \
	"  keep(KEYS[2])\n"                                                                         \
	"end\n"                                                                                     \
	"local function acks()\n"                                                                   \
	"  local all, found = redis.call('HGETALL', KEYS[2]), {}\n"                                 \
	"  for i = 1, #all, 2 do\n"                                                                 \
	"    if string.sub(all[i], 1, 2) == 'a:' then\n"                                            \
	"      found[#found + 1] = string.sub(all[i], 3)\n"                                         \
	"      found[#found + 1] = string.match(all[i + 1], '^%d+')\n"                              \
	"    end\n"                                                                                 \
	"  end\n"                                                                                   \
	"  return found\n"                                                                          \
	"end\n"

struct redis_script room_script_read = {
	TEXT("local fresh, ttl = ARGV[2], tonumber(ARGV[3])\n" LOOK "return {text(v), e, state, s, acks()}\n")};

struct redis_script room_script_commit = {TEXT(
	"local fresh, ttl = ARGV[6], tonumber(ARGV[9])\n" LOOK
	"if m[6] and string.match(m[6], '^%d+') == ARGV[2] then return {'ok'} end\n"
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"local restores = ARGV[10] == 'restore'\n"
	"if v ~= tonumber(ARGV[3]) or e ~= ARGV[4] then\n"
	"  return {'conflict', text(v), e, state, s, acks()}\n"
	"elseif not restores and m[5] and m[5] ~= '' and tonumber(m[5]) > now then\n"
	"  return {'wait', tonumber(m[5]) - now}\n"
	"end\n"
	"if ttl > 0 then redis.call('SET', KEYS[1], ARGV[7], 'EX', ttl) else redis.call('SET', KEYS[1], ARGV[7]) end\n"
	/* What is restored holds just the commits that are named with it. */
	"if restores then redis.call('DEL', KEYS[2]) end\n"
	"redis.call('HSET', KEYS[2], 'v', ARGV[5], 'h', redis.sha1hex(ARGV[7]), 'e', fresh, 's', ARGV[8],\n"
	"  'w', restores and text(now + tonumber(ARGV[11])) or '')\n"
	"local at = 13 + 2 * tonumber(ARGV[12])\n"
	"for i = 13, at - 1, 2 do redis.call('HSET', KEYS[2], 'a:' .. ARGV[i], ARGV[i + 1] .. ':' .. time[1]) end\n"
	"if not restores then redis.call('HSET', KEYS[2], 'a:' .. ARGV[1], ARGV[2] .. ':' .. time[1]) end\n"
	"keep(KEYS[2])\n"
	/* Nodes that have been gone for long need no acknowledgement; there are more only when a node is new. */
	"if not m[6] and redis.call('HLEN', KEYS[2]) > 32 then\n"
	"  local all = redis.call('HGETALL', KEYS[2])\n"
	"  for i = 1, #all, 2 do\n"
	"    local set = string.sub(all[i], 1, 2) == 'a:' and string.match(all[i + 1], ':(%d+)$')\n"
	"    if set and tonumber(set) < time[1] - 7200 then redis.call('HDEL', KEYS[2], all[i]) end\n"
	"  end\n"
	"end\n"
	"for i = at + 1, #ARGV do redis.call('PUBLISH', ARGV[at], ARGV[i]) end\n"
	"return {'ok'}\n")};

struct redis_script room_script_member = {TEXT("if ARGV[1] == 'join' then\n"
					       "  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])\n"
					       "elseif redis.call('HGET', KEYS[1], ARGV[2]) == ARGV[3] then\n"
					       "  redis.call('HDEL', KEYS[1], ARGV[2])\n"
					       "end\n"
					       "local ttl = tonumber(ARGV[4])\n"
					       "if ttl > 0 then redis.call('EXPIRE', KEYS[1], ttl) end\n"
					       "redis.call('PUBLISH', ARGV[5], ARGV[6])\n"
					       "return 1\n")};

struct redis_script room_script_members = {
	TEXT("local mine, counts, gone, names = {}, {}, {}, {}\n"
	     "for i = 3, #ARGV do mine[ARGV[i]] = true end\n"
	     "local time = redis.call('TIME')\n"
	     "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	     "local all = redis.call('HGETALL', KEYS[1])\n"
	     "local lives = {}\n"
	     "for i = 1, #all, 2 do\n"
	     "  local member, origin = all[i], all[i + 1]\n"
	     "  if origin == ARGV[1] then\n"
	     "    if not mine[member] then redis.call('HDEL', KEYS[1], member) end\n"
	     "  else\n"
	     "    if lives[origin] == nil then\n"
	     "      local until_ms = redis.call('ZSCORE', KEYS[2], origin)\n"
	     "      lives[origin] = until_ms and tonumber(until_ms) > now or false\n"
	     "    end\n"
	     "    if lives[origin] then\n"
	     "      if not counts[origin] then names[#names + 1] = origin end\n"
	     "      counts[origin] = (counts[origin] or 0) + 1\n"
	     "    else\n"
	     "      redis.call('HDEL', KEYS[1], member)\n"
	     "      gone[#gone + 1] = member\n"
	     "      gone[#gone + 1] = origin\n"
	     "    end\n"
	     "  end\n"
	     "end\n"
	     "for member in pairs(mine) do redis.call('HSET', KEYS[1], member, ARGV[1]) end\n"
	     "local ttl = tonumber(ARGV[2])\n"
	     "if ttl > 0 then redis.call('EXPIRE', KEYS[1], ttl) end\n"
	     "local others = {}\n"
	     "for i = 1, #names do\n"
	     "  others[#others + 1] = names[i]\n"
	     "  others[#others + 1] = counts[names[i]]\n"
	     "end\n"
	     "return {others, gone}\n")};

struct redis_script room_script_beat = {
	TEXT("local time = redis.call('TIME')\n"
	     "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	     "local before = redis.call('ZSCORE', KEYS[1], ARGV[1])\n"
	     "redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])\n"
	     "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600000)\n"
	     "local lost = not before or tonumber(before) < now\n"
	     "return {lost and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')}\n")};
