-- Takes one decision over the three windows of an account.
--
-- KEYS[1]  the account's hash: minute_start, minute, hour, month, shift
-- ARGV[1]  1 counts the request, 0 only looks
-- ARGV[2]  limit of the minute, 0 where it has none
-- ARGV[3]  limit of the hour
-- ARGV[4]  limit of the month
-- ARGV[5]  what is known of the month: '' nothing yet, ask me ('missing') if it is not here;
--          '-' nothing, go on without it; else at least this many
-- ARGV[6]  the month that ARGV[5] is of, as year * 12 + month - 1
-- ARGV[7]  the time in Unix seconds; '' for Redis's own
-- ARGV[8]  start of the minute that the rest is of; '' where there is no rest
-- ARGV[9]  the minute held at least this many
-- ARGV[10] and this many more, which were admitted without Redis
-- ARGV[11] the same of the hour
-- ARGV[12]
--
-- Returns {1 admitted | 0 refused | -1 missing, time, shift, minute, hour, month or -1}.

-- The number of a month, and the day after its last (days since 1970-01-01). After Howard
-- Hinnant's civil_from_days, with years that begin in March.
local function month_of(time)
  local z = math.floor(time / 86400) + 719468
  local era = math.floor(z / 146097)
  local doe = z - era * 146097
  local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524) - math.floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
  local mp = math.floor((5 * doy + 2) / 153)
  local year = yoe + era * 400
  local month = mp + 2 -- March is 2
  if month > 11 then
    month, year = month - 12, year + 1
  end
  return year * 12 + month
end

local take = ARGV[1] == '1'
local wall
if ARGV[7] == '' then
  wall = tonumber(redis.call('TIME')[1])
else
  wall = tonumber(ARGV[7])
end

local h = redis.call('HMGET', KEYS[1], 'minute_start', 'minute', 'hour', 'month', 'shift')
local start = tonumber(h[1]) or 0
local minute, hour, month = tonumber(h[2]) or 0, tonumber(h[3]) or 0, tonumber(h[4])
local stored_shift = tonumber(h[5]) or 0

-- The account's own time never returns to a minute that it has left: see clock.go.
local time, shift = wall, 0
if wall < start then
  shift = stored_shift
  time = wall + shift
  if time < start then
    shift, time = start - wall, start
  end
end

local turned = time >= start + 60
if turned then
  minute = 0
  if math.floor(time / 3600) ~= math.floor(start / 3600) then
    hour = 0
  end
  if math.floor(time / 86400) ~= math.floor(start / 86400) and month_of(time) ~= month_of(start) then
    month = nil
  end
  start = time - time % 60
end

local moved = turned or shift ~= stored_shift
local write = moved
if ARGV[5] ~= '' and ARGV[5] ~= '-' and tonumber(ARGV[6]) == month_of(time) then
  month = math.max(month or 0, tonumber(ARGV[5]))
  write = true
end
if not month and ARGV[5] == '' then
  return {-1, time, shift, minute, hour, -1}
end
if ARGV[8] ~= '' then
  local of = tonumber(ARGV[8])
  if of == start then
    minute = math.max(minute, tonumber(ARGV[9])) + tonumber(ARGV[10])
  end
  if math.floor(of / 3600) == math.floor(start / 3600) then
    hour = math.max(hour, tonumber(ARGV[11])) + tonumber(ARGV[12])
  end
  write = true
end

local function full(limit, count)
  return limit > 0 and count >= limit
end
local admitted = 1
if full(tonumber(ARGV[2]), minute) or full(tonumber(ARGV[3]), hour) or full(tonumber(ARGV[4]), month or 0) then
  admitted = 0
elseif take then
  minute, hour, write = minute + 1, hour + 1, true
  if month then
    month = month + 1
  end
end

if moved then
  redis.call('HSET', KEYS[1], 'minute_start', start, 'shift', shift)
end
if write and month then
  redis.call('HSET', KEYS[1], 'minute', minute, 'hour', hour, 'month', month)
elseif write then
  redis.call('HSET', KEYS[1], 'minute', minute, 'hour', hour)
  redis.call('HDEL', KEYS[1], 'month')
end
if turned then
  -- To the end of the longest month and a day more, counted from its last use.
  redis.call('EXPIRE', KEYS[1], 32 * 86400)
end
return {admitted, time, shift, minute, hour, month or -1}
