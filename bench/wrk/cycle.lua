-- Sends the lines of a file in turn: `wrk … -s cycle.lua URL -- FILE` as paths of GETs, `-- FILE POST` as bodies of POSTs to
-- the path of URL; `-- FILE POST KEY` with a new UUID as Idempotency-Key in each. `-- FILE PACE MEAN`: GETs, and each connection
-- waits between two of them for a time by chance, from nothing to twice MEAN milliseconds.

local lines, place, method, keyed = {}, 0, "GET", false

local threads = 0
function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local function uuid()
  return (string.gsub("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", "x", function()
    return string.format("%x", math.random(0, 15))
  end))
end

function init(arguments)
  local file = io.open("/dev/urandom", "rb")
  local a, b, c = file:read(3):byte(1, 3)
  file:close()
  math.randomseed(a * 65536 + b * 256 + c + number)
  for line in io.lines(arguments[1]) do lines[#lines + 1] = line end
  if arguments[2] == "PACE" then
    local most = math.floor(2 * tonumber(arguments[3]) + 0.5)
    delay = function() return math.random(0, most) end
  else
    method = arguments[2] or "GET"
  end
  keyed = arguments[3] == "KEY"
  place = math.random(#lines)
end

function request()
  place = place % #lines + 1
  local line = lines[place]
  if method == "GET" then return wrk.format("GET", line) end
  if keyed then wrk.headers["Idempotency-Key"] = '"' .. uuid() .. '"' end
  return wrk.format("POST", nil, nil, line)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "errors": %d, "p50": %d, "p99": %d}\n',
    summary.requests, summary.duration, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
