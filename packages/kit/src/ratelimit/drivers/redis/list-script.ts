import { bucketFunctions } from './bucket-functions.ts';

/**
 * KEYS: the set of indexes. ARGV: prefix of the buckets. Answers for each bucket that is on an index: its id and key, units in
 * it, units that it holds, resetAfterMs. At most 64 indexes of 256 buckets each are looked at.
 */
export const listScript = `${bucketFunctions}
local reply = {}
local indexes = call('SMEMBERS', KEYS[1])
for i = 1, min(#indexes, 64) do
  local index, seen = indexes[i], {}
  local members = call('ZREVRANGEBYSCORE', index, '+inf', '(' .. now, 'LIMIT', 0, 256)
  if #members == 0 and call('EXISTS', index) == 0 then call('SREM', KEYS[1], index) end
  for _, member in ipairs(members) do
    local p1, p2, p3, name = string.match(member, '^(%d+) (%d+) (%d+) (.*)$')
    p1, p2, p3 = tonumber(p1), tonumber(p2), tonumber(p3)
    if not seen[name] then
      seen[name] = true
      local key, kind = ARGV[1] .. name, string.sub(name, 1, 1)
      local used, reset
      if kind == 'g' then
        local s = gcra_read(key, p1, p2, p3, false)
        used = ceil(s.debt / p3)
        reset = s.debt == 0 and 0 or ceil(s.debt / p2) + s.at - now
      elseif kind == 'w' then
        local s = window_read(key, p1, p2, p3)
        used = s.total
        reset = window_reset(key, s, p2, p3)
      else
        used = leases_in_use(key)
        reset = 0
      end
      if used > 0 then
        reply[#reply + 1] = name
        reply[#reply + 1] = used
        reply[#reply + 1] = p1
        reply[#reply + 1] = reset
      end
    end
  end
end
return reply
`;

/** KEYS: the set of instances. ARGV: instance id, how long it is known without a further sign, whether it leaves (1 or 0). Answers how many there are. */
export const instancesScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == '1' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
return redis.call('ZCARD', KEYS[1])
`;
