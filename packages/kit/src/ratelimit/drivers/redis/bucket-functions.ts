/**
 * The arithmetic of buckets in Lua, put before each script. It mirrors drivers/memory (a property test compares both step by step):
 * integers throughout, in doubles, as in JavaScript. Numbers become text in `str` alone, since Lua writes large ones with an exponent and
 * Redis's own conversion differs by version.
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
local function str(x)
  if x < 1e14 then return x .. '' end
  return format('%.0f', x)
end

-- GCRA: p1 burst, p2 drain, p3 weight. Stored: debt, at, weight, and of tokens also generation, charged, returned, outstanding.
local function gcra_begin(s) s.generation, s.charged, s.returned, s.outstanding = now, 0, 0, 0 end
local function gcra_read(key, p1, p2, p3, settles)
  local stored = call('GET', key)
  local s
  if stored then
    local debt, at, weight, generation, charged, returned, outstanding = cmsgpack.unpack(stored)
    s = { debt = debt, at = at, generation = generation, charged = charged, returned = returned, outstanding = outstanding }
    if weight ~= p3 then
      s.debt = min(ceil(debt / weight * p3), MAX)
      if settles then gcra_begin(s) end
    end
    if at <= now then
      s.debt = max(0, s.debt - (now - at) * p2)
      s.at = now
    elseif at - now > p1 * p3 / p2 then
      s.at = now
      if settles then gcra_begin(s) end
    end
    if settles and not generation then gcra_begin(s) end
  else
    s = { debt = 0, at = now }
    if settles then gcra_begin(s) end
  end
  return s
end
local function gcra_write(key, s, p2, p3, settles)
  local stored
  if settles then stored = cmsgpack.pack(s.debt, s.at, p3, s.generation, s.charged, s.returned, s.outstanding)
  else stored = cmsgpack.pack(s.debt, s.at, p3) end
  -- A second more than it needs, so that a key never ends and begins again in one millisecond, which would be one generation.
  call('SET', key, stored, 'PX', str(min(s.at - now + ceil(s.debt / p2) + 1000, 9e12)))
end
local function gcra_charge(s, amount, settles)
  s.debt = min(s.debt + amount, MAX)
  if settles then
    s.charged = s.charged + amount
    if s.charged > MAX / 2 then gcra_begin(s) end
  end
end

-- Windows: p1 limit, p2 windowMs, p3 slots. A hash: n total, o oldest slot, e newest slot, and a count by slot.
local function window_read(key, p1, p2, p3)
  local slot = floor(now * p3 / p2)
  local s = { slot = slot, now = now, total = 0, oldest = slot, newest = slot, fresh = true }
  local stored = call('HMGET', key, 'n', 'o', 'e', str(slot))
  if not stored[1] then return s end
  local total, oldest, newest = tonumber(stored[1]), tonumber(stored[2]), tonumber(stored[3])
  s.count = tonumber(stored[4] or 0)
  if newest > slot then
    if newest - slot > p3 then s.stale = true return s end
    s.slot = newest
    s.now = ceil(newest * p2 / p3)
    s.count = nil
  end
  s.total, s.oldest, s.newest, s.fresh = total, oldest, newest, false
  local last = min(s.slot - p3 - 1, newest)
  if oldest <= last then
    local slots = {}
    for gone = oldest, last do slots[#slots + 1] = str(gone) end
    for _, count in ipairs(call('HMGET', key, unpack(slots))) do
      if count then s.total = s.total - tonumber(count) end
    end
    s.gone_slots, s.oldest = slots, last + 1
    if last == newest then s.oldest, s.newest = s.slot, s.slot end
  end
  return s
end
local function window_counts(key, s)
  if s.stale then return {} end
  local slots = {}
  for slot = s.oldest, s.newest do slots[#slots + 1] = str(slot) end
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
  if s.stale then call('DEL', key) elseif s.gone_slots then call('HDEL', key, unpack(s.gone_slots)) end
  local slot = str(s.slot)
  s.total = s.total + amount
  s.count = (s.stale and 0 or s.count or tonumber(call('HGET', key, slot) or 0)) + amount
  -- A key lasts as long as its newest slot, so that only a new slot changes when it ends.
  if s.fresh or s.gone_slots or s.newest ~= s.slot then
    s.newest = s.slot
    call('HSET', key, 'n', str(s.total), slot, str(s.count), 'o', str(s.oldest), 'e', slot)
    call('PEXPIRE', key, str(s.now - now + window_leaves(s, s.slot, p2, p3) + 1000))
  else
    call('HSET', key, 'n', str(s.total), slot, str(s.count))
  end
end

-- Leases: a sorted set of ids by the millisecond at which they end.
local function leases_in_use(key) return call('ZCOUNT', key, '(' .. now, '+inf') end
local function leases_keep(key)
  local last = call('ZRANGE', key, -1, -1, 'WITHSCORES')
  if last[2] then call('PEXPIRE', key, str(max(0, tonumber(last[2]) - now) + 1000)) end
end

-- The index of the fullest of a policy: its members are the numbers of the policy and the bucket, by the millisecond from which the
-- bucket is as good as new. It keeps those 256 that last longest. Its key is made here from that of the bucket, and so in the same
-- slot, because few takes need it and every argument costs as much as a step of the arithmetic.
local function index_bucket(key, base_length, ends_after, p1, p2, p3)
  local name, base = string.sub(key, base_length + 1), string.sub(key, 1, base_length)
  local indexes = base .. 'hot'
  local index = indexes .. ':' .. (string.match(name, '^w:[^:]*:%d+:%d+:') or string.match(name, '^%a:[^:]*:'))
  call('ZADD', index, str(now + ends_after), str(p1) .. ' ' .. str(p2) .. ' ' .. str(p3) .. ' ' .. name)
  call('ZREMRANGEBYSCORE', index, '-inf', str(now))
  call('ZREMRANGEBYRANK', index, 0, -257)
  local last = call('ZRANGE', index, -1, -1, 'WITHSCORES')
  if last[2] then call('PEXPIRE', index, str(max(0, tonumber(last[2]) - now) + 1000)) end
  call('SADD', indexes, index)
  -- Longer than any window.
  call('PEXPIRE', indexes, 2764800000)
end
`;
