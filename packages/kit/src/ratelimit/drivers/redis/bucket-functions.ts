/**
 * The arithmetic of buckets in Lua, put before each script. It mirrors drivers/memory (the contract suite compares both step by
 * step): integers throughout, in doubles, as in JavaScript; whatever is stored is written with %.0f, since Lua writes large
 * numbers with an exponent.
 *
 * Redis's clock may be set. A bucket from the future by less than one period waits for the clock (time stands still for it); by more,
 * the clock was wrong then, and a GCRA bucket goes on from now with what it owes, a window begins anew.
 */
export const bucketFunctions = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local MAX = 9007199254740991
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local call, format = redis.call, string.format

-- GCRA: p1 burst, p2 drain, p3 weight. Stored: debt at generation charged returned outstanding weight.
local function gcra_begin(s) s.generation, s.charged, s.returned, s.outstanding = now, 0, 0, 0 end
local function gcra_read(key, p1, p2, p3)
  local s = { debt = 0, at = now, generation = now, charged = 0, returned = 0, outstanding = 0 }
  local stored = call('GET', key)
  if not stored then return s end
  local d, at, g, c, r, o, w = string.match(stored, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  s.debt, s.at, s.generation = tonumber(d), tonumber(at), tonumber(g)
  s.charged, s.returned, s.outstanding = tonumber(c), tonumber(r), tonumber(o)
  w = tonumber(w)
  if w ~= p3 then
    s.debt = min(ceil(s.debt / w * p3), MAX)
    gcra_begin(s)
  end
  if s.at > now then
    if s.at - now <= p1 * p3 / p2 then return s end
    s.at = now
    gcra_begin(s)
  end
  s.debt = max(0, s.debt - (now - s.at) * p2)
  s.at = now
  return s
end
local function gcra_write(key, s, p2, p3)
  -- A second more than it needs, so that a key never ends and begins again in one millisecond, which would be one generation.
  call('SET', key, format('%.0f %.0f %.0f %.0f %.0f %.0f %.0f', s.debt, s.at, s.generation, s.charged, s.returned, s.outstanding, p3),
    'PX', format('%.0f', min(max(0, s.at - now) + ceil(s.debt / p2) + 1000, 9e12)))
end
local function gcra_charge(s, amount)
  s.debt = min(s.debt + amount, MAX)
  s.charged = s.charged + amount
  if s.charged > MAX / 2 then gcra_begin(s) end
end

-- Windows: p1 limit, p2 windowMs, p3 slots. A hash: n total, o oldest slot, e newest slot, and a count by slot.
local function window_read(key, p1, p2, p3)
  local s = { total = 0, gone = 0, slot = floor(now * p3 / p2) }
  s.oldest, s.newest, s.now = s.slot, s.slot, now
  local stored = call('HMGET', key, 'n', 'o', 'e')
  if not stored[1] then return s end
  local total, oldest, newest = tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3])
  if newest > s.slot then
    if newest - s.slot > p3 then s.stale = true return s end
    s.slot = newest
    s.now = ceil(newest * p2 / p3)
  end
  s.total, s.oldest, s.newest = total, oldest, newest
  local last = min(s.slot - p3 - 1, newest)
  if oldest <= last then
    local slots = {}
    for slot = oldest, last do slots[#slots + 1] = format('%.0f', slot) end
    for i, count in ipairs(call('HMGET', key, unpack(slots))) do
      if count then s.total = s.total - tonumber(count) end
    end
    s.gone_slots = slots
    s.oldest = last + 1
    if last == newest then s.oldest, s.newest = s.slot, s.slot end
  end
  return s
end
local function window_forget(key, s)
  if s.stale then call('DEL', key) elseif s.gone_slots then call('HDEL', key, unpack(s.gone_slots)) end
end
local function window_counts(key, s)
  local slots = {}
  for slot = s.oldest, s.newest do slots[#slots + 1] = format('%.0f', slot) end
  if s.stale or #slots == 0 then return {} end
  return call('HMGET', key, unpack(slots))
end
local function window_leaves(s, slot, p2, p3) return ceil((slot + 1 + p3) * p2 / p3) - s.now end
local function window_reset(key, s, p2, p3)
  if s.total <= 0 then return 0 end
  local counts = window_counts(key, s)
  for i = #counts, 1, -1 do
    if counts[i] and tonumber(counts[i]) > 0 then return window_leaves(s, s.oldest + i - 1, p2, p3) end
  end
  return 0
end
local function window_charge(key, s, amount, p2, p3)
  window_forget(key, s)
  s.total, s.newest = s.total + amount, s.slot
  call('HINCRBY', key, format('%.0f', s.slot), format('%.0f', amount))
  call('HSET', key, 'n', format('%.0f', s.total), 'o', format('%.0f', s.oldest), 'e', format('%.0f', s.newest))
  call('PEXPIRE', key, format('%.0f', max(0, s.now - now) + window_leaves(s, s.newest, p2, p3) + 1000))
end

-- Leases: a sorted set of ids by the millisecond at which they end.
local function leases_in_use(key) return call('ZCOUNT', key, '(' .. format('%.0f', now), '+inf') end
local function leases_keep(key)
  local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
  if last[2] then call('PEXPIRE', key, format('%.0f', max(0, tonumber(last[2]) - now) + 1000)) end
end

-- The index of the fullest of a policy: its members are the numbers of the policy and the bucket, by the millisecond from which the
-- bucket is as good as new. It keeps those 256 that last longest.
local function index_bucket(index, indexes, ends_after, p1, p2, p3, name)
  call('ZADD', index, format('%.0f', now + ends_after), format('%.0f %.0f %.0f %s', p1, p2, p3, name))
  call('ZREMRANGEBYSCORE', index, '-inf', format('%.0f', now))
  call('ZREMRANGEBYRANK', index, 0, -257)
  local last = call('ZRANGE', index, -1, -1, 'WITHSCORES')
  if last[2] then call('PEXPIRE', index, format('%.0f', max(0, tonumber(last[2]) - now) + 1000)) end
  call('SADD', indexes, index)
  -- Longer than any window.
  call('PEXPIRE', indexes, 2764800000)
end
`;
