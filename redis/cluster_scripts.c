#include "redis/cluster_scripts.h"

#define TEXT(literal) .text = {literal, sizeof(literal) - 1}

struct redis_script cluster_script_claim = {TEXT(
	"local claim = redis.call('GET', KEYS[1])\n"
	"local m = redis.call('HMGET', KEYS[2], 'id', 'owner', 'seq', 'fence')\n"
	"local mine = claim and string.sub(claim, 1, #ARGV[2] + 1) == ARGV[2] .. ':'\n"
	"if claim and not mine then\n"
	"  local state = redis.call('GET', ARGV[7] .. (string.match(claim, ':(.*)$') or ''))\n"
	/* What is known may be of an owner before this one, which does not count as we do. */
	"  if m[2] ~= claim then m[3], m[4] = false, false end\n"
	"  return {'others', claim, state, m[3], m[4]}\n"
	"elseif ARGV[1] == 'look' then\n"
	"  return {mine and 'mine' or 'nobodys', claim, false, m[3], m[4]}\n"
	"end\n"
	"redis.call('SET', KEYS[5], ARGV[9], 'NX')\n"
	"local epoch = redis.call('GET', KEYS[5])\n"
	"if not claim and not m[4] and (ARGV[10] == '1' or ARGV[8] ~= '' and ARGV[8] ~= epoch) then\n"
	"  return {'forgotten', epoch}\n"
	"end\n"
	"local state = redis.call('GET', KEYS[3])\n"
	"local id = ARGV[3]\n"
	"if state and m[1] and ARGV[4] ~= '1' then id = m[1] end\n"
	/* By the time, so that it is larger than one that was given by a master of which this one knows nothing. */
	"local time = redis.call('TIME')\n"
	"local fence = math.max(tonumber(m[4] or '0') + 1, time[1] * 1000 + math.floor(time[2] / 1000))\n"
	"fence = string.format('%.0f', fence)\n"
	"claim = ARGV[2] .. ':' .. id\n"
	"redis.call('HSET', KEYS[2], 'id', id, 'owner', claim, 'fence', fence)\n"
	"if ARGV[6] ~= '0' then redis.call('EXPIRE', KEYS[2], 2 * ARGV[6]) end\n"
	"redis.call('SET', KEYS[1], claim, 'PX', ARGV[5])\n"
	"local answers = redis.call('LRANGE', KEYS[4], 0, -1)\n"
	"return {'mine', claim, state, m[3], fence, unpack(answers)}\n")};

struct redis_script cluster_script_keep = {
	TEXT("local claim = redis.call('GET', KEYS[1])\n"
	     "local fence = redis.call('HGET', KEYS[2], 'fence')\n"
	     "local last, ours = tonumber(fence or '0'), tonumber(ARGV[3])\n"
	     /* One below ours is of before our claim, as is whose claim lies there: Redis has gone back. */
	     "if last > ours or (claim and claim ~= ARGV[2] and not (fence and last < ours)) then\n"
	     "  return {'others', claim}\n"
	     "end\n"
	     "if not claim and not fence and ARGV[4] ~= '1' then return {'nobodys', false} end\n"
	     "local ttl, verb = tonumber(ARGV[6]), ARGV[1]\n"
	     "local function keep(key, seconds) if ttl > 0 then redis.call('EXPIRE', key, seconds) end end\n"
	     "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[5])\n"
	     "redis.call('HSET', KEYS[2], 'fence', ARGV[3], 'id', ARGV[7], 'owner', ARGV[2])\n"
	     "if verb ~= 'keep' then redis.call('HSET', KEYS[2], 'seq', ARGV[8]) end\n"
	     "if ARGV[9] ~= '' then\n"
	     "  redis.call('SET', KEYS[3], ARGV[10] .. ARGV[9] .. ARGV[11])\n"
	     "  redis.call('SET', KEYS[5], ARGV[12] .. ARGV[9] .. ARGV[13])\n"
	     "end\n"
	     "local messages = 18 + ARGV[15]\n"
	     "if ARGV[17] == '1' then redis.call('DEL', KEYS[4]) end\n"
	     "for i = 18, messages - 1 do redis.call('RPUSH', KEYS[4], ARGV[i]) end\n"
	     "redis.call('LTRIM', KEYS[4], -512, -1)\n"
	     "keep(KEYS[2], 2 * ttl)\n"
	     "for i = 3, 5 do keep(KEYS[i], ttl) end\n"
	     "if verb == 'release' then\n"
	     "  if ARGV[14] == '1' then redis.call('DEL', KEYS[3], KEYS[4]) end\n"
	     "  redis.call('DEL', KEYS[1])\n"
	     "  redis.call('DEL', KEYS[5])\n"
	     "end\n"
	     "for i = messages, #ARGV do redis.call('PUBLISH', ARGV[16], ARGV[i]) end\n"
	     "return {'mine', claim, false, false, fence}\n")};

struct redis_script cluster_script_epoch = {TEXT("redis.call('SET', KEYS[1], ARGV[1], 'NX')\n"
						 "return {'forgotten', redis.call('GET', KEYS[1])}\n")};
