import { bucketFunctions } from './bucket-functions.ts';

/**
 * Looks at every bucket, and only when all that are enforced have room, adds to those that have. KEYS: the buckets. ARGV: commit (1 or 0), the
 * share of the capacity from which a bucket is listed, the length of the prefix of keys; then for each bucket: its kind (g, w, c) with s where it is in shadow and t
 * where it will be settled, cost, p1, p2, p3, and of c the lease.
 *
 * Answers now, allowed, then for each: refused, taken, remaining, resetAfterMs, retryAfterMs (-1 for never), and what a settlement needs:
 * GCRA of tokens generation, charged, returned, outstanding; windows the slot.
 */
export const takeScript = `${bucketFunctions}
local n = #KEYS
local commit, listed, base_length = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
local allowed = true
local buckets = {}
local a = 3
for i = 1, n do
  local flags = ARGV[a + 1]
  local b = { kind = string.sub(flags, 1, 1), shadow = string.find(flags, 's', 2, true), settles = string.find(flags, 't', 2, true),
    cost = tonumber(ARGV[a + 2]), p1 = tonumber(ARGV[a + 3]), p2 = tonumber(ARGV[a + 4]), p3 = tonumber(ARGV[a + 5]) }
  a = a + 5
  if b.kind == 'c' then
    b.lease = ARGV[a + 1]
    a = a + 1
  end
  local key = KEYS[i]
  local wait = 0
  if b.kind == 'g' then
    b.s = gcra_read(key, b.p1, b.p2, b.p3, b.settles)
    if b.cost > b.p1 then wait = -1
    else
      local excess = b.s.debt + b.cost * b.p3 - b.p1 * b.p3
      if excess > 0 then wait = ceil(excess / b.p2) + b.s.at - now end
    end
  elseif b.kind == 'w' then
    b.s = window_read(key, b.p1, b.p2, b.p3)
    local excess = b.s.total + b.cost - b.p1
    if excess > 0 then
      if b.cost > b.p1 then wait = -1
      else
        local counts = window_counts(key, b.s)
        for j, count in ipairs(counts) do
          if count then
            excess = excess - tonumber(count)
            if excess <= 0 then wait = window_leaves(b.s, b.s.oldest + j - 1, b.p2, b.p3) + b.s.now - now break end
          end
        end
      end
    end
  else
    b.used = leases_in_use(key)
    if b.used >= b.p1 then wait = b.p3 end
  end
  b.wait = wait
  if wait ~= 0 and not b.shadow then allowed = false end
  buckets[i] = b
end

local reply = { now, allowed and 1 or 0 }
local at = 2
for i = 1, n do
  local b, key = buckets[i], KEYS[i]
  local taken = commit and allowed and b.wait == 0
  local remaining, reset, share, marks
  if b.kind == 'g' then
    local s = b.s
    if taken then
      gcra_charge(s, b.cost * b.p3, b.settles)
      if b.settles then
        marks = { s.generation, s.charged, s.returned, s.outstanding }
        s.outstanding = s.outstanding + b.cost * b.p3
      end
      gcra_write(key, s, b.p2, b.p3, b.settles)
    end
    remaining = max(0, floor((b.p1 * b.p3 - s.debt) / b.p3))
    reset = ceil(s.debt / b.p2) + s.at - now
    if s.debt == 0 then reset = 0 end
    share = ceil(s.debt / b.p3) / b.p1
  elseif b.kind == 'w' then
    local s = b.s
    if taken and b.cost > 0 then window_charge(key, s, b.cost, b.p2, b.p3) end
    if taken and b.settles then marks = { s.slot } end
    remaining = max(0, b.p1 - s.total)
    if taken and b.cost > 0 then reset = window_leaves(s, s.newest, b.p2, b.p3) else reset = window_reset(key, s, b.p2, b.p3) end
    if reset > 0 then reset = reset + s.now - now end
    share = s.total / b.p1
  else
    if taken then
      call('ZREMRANGEBYSCORE', key, '-inf', str(now))
      call('ZADD', key, str(now + b.p2), b.lease)
      leases_keep(key)
      b.used = b.used + 1
    end
    remaining = max(0, b.p1 - b.used)
    reset = 0
    share = b.used / b.p1
  end
  if taken and share >= listed then
    index_bucket(key, base_length, b.kind == 'c' and b.p2 or reset, b.p1, b.p2, b.p3)
  end
  reply[at + 1] = b.wait ~= 0 and 1 or 0
  reply[at + 2] = taken and 1 or 0
  reply[at + 3] = remaining
  reply[at + 4] = reset
  reply[at + 5] = b.wait
  at = at + 5
  if b.settles then
    local count = b.kind == 'g' and 4 or 1
    for j = 1, count do reply[at + j] = marks and marks[j] or 0 end
    at = at + count
  end
end
return reply
`;
