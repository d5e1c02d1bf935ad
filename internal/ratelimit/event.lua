-- Counts an event if there were fewer than the limit since the first one.
--
-- KEYS[1] the counter, which lives as long as its window
-- ARGV[1] the limit
-- ARGV[2] the length of the window in milliseconds
--
-- Returns {1 counted | 0 not, events so far, milliseconds that are left}.

local n = tonumber(redis.call('GET', KEYS[1])) or 0
if n >= tonumber(ARGV[1]) then
  return {0, n, redis.call('PTTL', KEYS[1])}
end
n = redis.call('INCR', KEYS[1])
if n == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return {1, n, redis.call('PTTL', KEYS[1])}
