-- http-request lua.anchord: asks the gateway of anchord whether the request may go on.
--
-- One question, one connection, no wait longer than WAIT seconds. Everything that is not a plain "200" from the gateway
-- ends the request here: with the gateway's own answer, or with 503 when there was none.

local WAIT = 3
local gateway = os.getenv("ANCHORD_GATEWAY")

-- A line that a value could begin by itself would be a header of the client's own.
local function one_line(value)
    return (tostring(value or ""):gsub("[\r\n%z]", " "))
end

-- Certificates stand one behind the other; each says in its first bytes how long it is (X.690 section 8.1.3).
local function split_chain(all)
    local ders, at = {}, 1
    while at <= #all do
        local tag, first = all:byte(at, at + 1)
        if tag ~= 0x30 or not first then
            return nil
        end
        local head, len = 2, first
        if first >= 0x80 then
            local n = first - 0x80
            if n < 1 or n > 3 or #all < at + 1 + n then
                return nil
            end
            len = 0
            for i = at + 2, at + 1 + n do
                len = len * 256 + all:byte(i)
            end
            head = 2 + n
        end
        if at + head + len - 1 > #all then
            return nil
        end
        ders[#ders + 1] = all:sub(at, at + head + len - 1)
        at = at + head + len
    end
    return ders
end

-- RFC 9440: the leaf, and what the client sent behind it.
local function certificate_headers(txn, add)
    local leaf = txn.f:ssl_c_der()
    if not leaf or leaf == "" then
        return true
    end
    add("Client-Cert", ":" .. txn.c:base64(leaf) .. ":")
    local ders = split_chain(txn.f:ssl_c_chain_der() or "")
    if not ders then
        return false
    end
    local rest = {}
    for _, der in ipairs(ders) do
        if der ~= leaf then
            rest[#rest + 1] = ":" .. txn.c:base64(der) .. ":"
        end
    end
    if #rest > 0 then
        add("Client-Cert-Chain", table.concat(rest, ", "))
    end
    return true
end

local function question(txn)
    local lines = { "GET /auth/client-cert HTTP/1.1" }
    local function add(name, value)
        value = one_line(value)
        if value ~= "" then
            lines[#lines + 1] = name .. ": " .. value
        end
    end
    add("Host", txn.f:req_hdr("host"))
    if not certificate_headers(txn, add) then
        return nil
    end
    add("X-SSL-Server-Name", txn.f:ssl_fc_sni())
    add("X-Original-Method", txn.f:method())
    add("X-Original-URI", txn.f:pathq())
    add("X-Real-IP", txn.f:src())
    for _, name in ipairs({ "User-Agent", "Referer", "Cookie", "X-Forwarded-For", "traceparent" }) do
        add(name, txn.f:req_hdr(name:lower()))
    end
    lines[#lines + 1] = "Connection: close\r\n\r\n"
    return table.concat(lines, "\r\n")
end

-- Status, headers by lower-case name, body; nil when the answer is not whole.
local function read_answer(socket)
    local line = socket:receive("*l")
    local status = line and tonumber(line:match("^HTTP/1%.1 (%d%d%d)"))
    local headers = {}
    while status do
        line = socket:receive("*l")
        if not line then
            return nil
        end
        line = line:gsub("\r$", "")
        if line == "" then
            break
        end
        local name, value = line:match("^([^:]+):%s*(.*)$")
        if not name then
            return nil
        end
        headers[name:lower()] = value
    end
    local length = status and tonumber(headers["content-length"] or "0")
    if not length then
        return nil
    end
    local body = ""
    if length > 0 then
        body = socket:receive(length)
        if not body or #body ~= length then
            return nil
        end
    end
    return status, headers, body
end

local function ask(text)
    local socket = core.tcp()
    socket:settimeout(WAIT)
    local host, port = gateway:match("^([%d%.]+):(%d+)$")
    local good
    if host then
        good = socket:connect(host, tonumber(port))
    else
        good = socket:connect(gateway)
    end
    local status, headers, body
    if good and socket:send(text) then
        status, headers, body = read_answer(socket)
    end
    socket:close()
    return status, headers, body
end

local function answer(txn, status, headers, body)
    local reply = txn:reply({ status = status })
    for _, name in ipairs({ "X-Anchord-Verdict", "X-Anchord-Reason", "X-Anchord-Rule", "Content-Type", "Retry-After" }) do
        local value = headers[name:lower()]
        if value then
            reply:add_header(name, value)
        end
    end
    reply:set_body(body)
    txn:done(reply)
end

core.register_action("anchord", { "http-req" }, function(txn)
    local text = question(txn)
    local status, headers, body
    if text then
        status, headers, body = ask(text)
    end
    if not status then
        answer(txn, 503, { ["retry-after"] = "1" }, "no decision could be reached\n")
    elseif status == 200 then
        txn:set_var("txn.anchord_verdict", headers["x-anchord-verdict"] or "")
        txn:set_var("txn.anchord_ca", headers["x-anchord-ca"] or "")
        txn:set_var("txn.anchord_revision", headers["x-anchord-revision"] or "")
        txn:set_var("txn.anchord_allowed", "yes")
    elseif status >= 400 and status <= 599 then
        answer(txn, status, headers, body)
    else
        answer(txn, 503, { ["retry-after"] = "1" }, "no decision could be reached\n")
    end
end, 0)
