#!/usr/bin/env python3
"""A client of Redis for `client: process`: redis_client.py ADDRESS PORT"""
import json, re, socket, sys

CAS = """if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2]) return 1"""


def ask(*words):
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)]
    link.write(b"*%d\r\n%s" % (len(words), b"".join(parts)))
    link.flush()
    line = link.readline().decode()
    if line.startswith("-READONLY"): raise PermissionError(line)
    if not line.endswith("\r\n") or line[0] == "-": raise ConnectionError(line)
    if line[0] != "$": return line[1:-2]
    return link.read(int(line[1:]) + 2)[:-2].decode() if line != "$-1\r\n" else None


link = None
for line in sys.stdin:
    asked, outcome, more = json.loads(line), "refused", {}
    try:
        if link is None or asked["connection"] == "fresh":
            link = None
            at = (sys.argv[1], int(sys.argv[2]))
            link = socket.create_connection(at, asked["deadline_ms"] / 1000).makefile("rwb")
            host = re.search(r"run_id:(\w+)", ask("INFO", "server"))[1]
        outcome, key, value = "unknown", asked["key"], asked.get("value")
        if asked["op"] == "read": more["value"] = ask("GET", key)
        if asked["op"] == "write": ask("SET", key, value)
        if asked["op"] == "cas": more["set"] = ask("EVAL", CAS, "1", key, asked.get("old") or "", value) == "1"
        outcome, more["host"] = "ok", host
    except PermissionError: outcome = "refused"  # the server said that it wrote nothing
    except OSError: link = None
    print(json.dumps({"id": asked["id"], "outcome": outcome, **more}), flush=True)
