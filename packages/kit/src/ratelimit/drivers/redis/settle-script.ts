import { bucketFunctions } from './bucket-functions.ts';

/**
 * KEYS: the buckets. ARGV: the share of the capacity from which a bucket is listed, the length of the prefix of keys, then for each bucket: kind,
 * cost, actual, p1, p2, p3, lease, and the marks of the take: generation, charged, returned, outstanding (GCRA), or
 * the slot and three zeros. See drivers/memory/gcra-bucket.ts for how much is given back, and why not more.
 */
export const settleScript = `${bucketFunctions}
local n = #KEYS
local listed, base_length = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 1, n do
  local key, a = KEYS[i], 2 + (i - 1) * 11
  local share, reset = 0, 0
  local kind, cost, actual = ARGV[a + 1], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local p1, p2, p3 = tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), tonumber(ARGV[a + 6])
  local m = {}
  for j = 1, 4 do m[j] = tonumber(ARGV[a + 7 + j]) end
  if kind == 'g' then
    local s = gcra_read(key, p1, p2, p3, true)
    local known = s.generation == m[1]
    if known then s.outstanding = s.outstanding - cost * p3 end
    if actual >= cost then
      gcra_charge(s, (actual - cost) * p3, true)
      share, reset = ceil(s.debt / p3) / p1, ceil(s.debt / p2) + s.at - now
    elseif known then
      local returned = s.returned - m[3]
      local earlier = min(returned, m[4])
      local owed = s.debt - (s.charged - m[2] - returned + earlier)
      local refund = min((cost - actual) * p3, max(owed, 0), s.debt)
      s.debt = s.debt - refund
      s.returned = s.returned + refund
    end
    if known or actual > cost then gcra_write(key, s, p2, p3, true) end
  elseif kind == 'w' then
    local s = window_read(key, p1, p2, p3)
    if actual > cost then
      window_charge(key, s, actual - cost, p2, p3)
      share, reset = s.total / p1, window_leaves(s, s.newest, p2, p3) + s.now - now
    elseif not s.stale and m[1] >= s.oldest and m[1] <= s.newest then
      local slot = str(m[1])
      local count = tonumber(call('HGET', key, slot) or '0')
      local refund = min(cost - actual, count)
      if refund > 0 then
        call('HINCRBY', key, slot, str(-refund))
        call('HINCRBY', key, 'n', str(-refund))
      end
    end
  else
    call('ZREM', key, ARGV[a + 7])
  end
  if share >= listed then index_bucket(key, base_length, reset, p1, p2, p3) end
end
return 1
`;

/**
 * KEYS: the buckets. ARGV: the share of the capacity from which a bucket is listed, the length of the prefix of keys, then for each bucket: lease, p1, p2,
 * p3. Answers how many leases were still there.
 */
export const renewScript = `${bucketFunctions}
local renewed = 0
local n = #KEYS
for i = 1, n do
  local key, a = KEYS[i], 2 + (i - 1) * 4
  local lease, p1, p2, p3 = ARGV[a + 1], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local ends = call('ZSCORE', key, lease)
  if ends and tonumber(ends) > now then
    call('ZADD', key, str(now + p2), lease)
    leases_keep(key)
    renewed = renewed + 1
    if leases_in_use(key) / p1 >= tonumber(ARGV[1]) then index_bucket(key, tonumber(ARGV[2]), p2, p1, p2, p3) end
  end
end
return renewed
`;
