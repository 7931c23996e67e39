import { RedisScript } from './script.ts';

// What Redis holds, all keys in one slot of a cluster:
//   journal      hash   e: the epoch, a text that a Redis that lost its data does not have again; v: number of the last change
//   changes      zset   names by the number of their last change
//   s:<name>     hash   g: generation, s: 'open' or 'closed', u: end of the recovery on Redis's clock (-1 for never), h: '1' by hand
//   p:<name>     hash   g: generation, o: owner, u: end of the lease

const prelude = `
local call, str = redis.call, function(number) return string.format('%.0f', number) end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local function left(ends) if ends < 0 then return -1 end return math.max(0, ends - now) end
`;

/**
 * Takes over each state that is newer than what is there, tells the channel, and answers what is in force then. KEYS: journal, changes,
 * then the states. ARGV: the channel, how long a name is remembered after its last change, how many names are, then for each state:
 * name, generation (0: nothing is known, only asked), state, milliseconds left (-1 for ever), by hand, and how it comes: `now` as it
 * happens; `late` by one that was alone with it for a while; `first` if it is an operator's word that Redis has not heard. That goes before
 * whatever is there, and while it keeps a breaker open, nothing that comes late ends it, whatever its generation.
 *
 * Answers the epoch, the number of the last change, then for each: generation (0 for none), state, milliseconds left, by hand.
 */
export const exchangeScript = new RedisScript(`${prelude}
local journal, changes, channel, keep, most = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local epoch = call('HGET', journal, 'e')
if not epoch then
  epoch = time[1] .. '-' .. time[2]
  call('HSET', journal, 'e', epoch)
end
local version = tonumber(call('HGET', journal, 'v') or '0')
local reply = { epoch, 0 }
local changed = false
for i = 3, #KEYS do
  local key, a = KEYS[i], 4 + (i - 3) * 6
  local name, generation, state, rest, hand, how = ARGV[a], tonumber(ARGV[a + 1]), ARGV[a + 2], tonumber(ARGV[a + 3]), ARGV[a + 4], ARGV[a + 5]
  local held = call('HMGET', key, 'g', 's', 'u', 'h')
  local in_force = tonumber(held[1] or '0')
  if generation > 0 and (generation > in_force or how == 'first') then
    if how == 'late' and hand ~= '1' and held[4] == '1' and held[2] == 'open' and left(tonumber(held[3])) ~= 0 then
      state, rest, hand, in_force = 'open', left(tonumber(held[3])), '1', generation
    end
    in_force = math.max(generation, in_force + 1)
    local ends = rest
    if rest >= 0 then ends = now + rest end
    call('HSET', key, 'g', str(in_force), 's', state, 'u', str(ends), 'h', hand)
    if rest < 0 then call('PERSIST', key) else call('PEXPIRE', key, str(rest + keep)) end
    version = version + 1
    call('ZADD', changes, str(version), name)
    -- A login that may not publish is no reason to fail: the others ask.
    redis.pcall('PUBLISH', channel, cjson.encode({ epoch, name, in_force, state, rest, hand }))
    held = { in_force, state, str(ends), hand }
    changed = true
  end
  reply[#reply + 1] = in_force
  reply[#reply + 1] = held[2] or ''
  reply[#reply + 1] = in_force > 0 and str(left(tonumber(held[3]))) or '0'
  reply[#reply + 1] = held[4] or ''
end
if changed then
  call('HSET', journal, 'v', str(version))
  call('ZREMRANGEBYRANK', changes, 0, -most - 1)
end
call('PEXPIRE', journal, str(2 * keep))
call('PEXPIRE', changes, str(2 * keep))
reply[2] = version
return reply
`);

/**
 * What has changed since. KEYS: journal, changes. ARGV: number of the last change that is known, what the key of a state begins with.
 * Answers the epoch ('' when nothing was ever published), the number of the last change, then for each: name, generation, state,
 * milliseconds left, by hand. The keys of the states are made up here: they have the slot of the others.
 */
export const changesScript = new RedisScript(`${prelude}
local known = call('HMGET', KEYS[1], 'e', 'v')
local reply = { known[1] or '', tonumber(known[2] or '0') }
for _, name in ipairs(call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')) do
  local held = call('HMGET', ARGV[2] .. name, 'g', 's', 'u', 'h')
  if held[1] then
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4], reply[at + 5] = name, tonumber(held[1]), held[2], str(left(tonumber(held[3]))), held[4]
  end
end
return reply
`);

/** KEYS: the state, the claim. ARGV: generation, milliseconds of the lease, owner. Answers 1 when it is granted, 0 when another has it, -1 when there is a newer state. */
export const claimScript = new RedisScript(`${prelude}
local key, generation, lease = KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
-- Whoever has missed a change must not probe for what is no more.
if tonumber(call('HGET', KEYS[1], 'g') or '0') > generation then return -1 end
local held = call('HMGET', key, 'g', 'u')
if held[1] and tonumber(held[1]) == generation and tonumber(held[2]) > now then return 0 end
call('HSET', key, 'g', str(generation), 'u', str(now + lease), 'o', ARGV[3])
call('PEXPIRE', key, str(lease + 1000))
return 1
`);

/** KEYS: the claim. ARGV: generation, owner. One that has lost its lease takes nobody's claim away. */
export const releaseScript = new RedisScript(`
local held = redis.call('HMGET', KEYS[1], 'g', 'o')
if held[1] and tonumber(held[1]) == tonumber(ARGV[1]) and held[2] == ARGV[2] then redis.call('DEL', KEYS[1]) end
return 0
`);
