"""Sends the same bytes to two servers and compares the answers: same-answers.py TOKEN BASE_URL BASE_URL.

Both start with an empty store. What each has to make up on its own is left out: ids, times, the date; and the words of a framework
that refuses what is no HTTP before an adapter sees it. The rest is equal byte for byte, or the script fails.
"""
import re
import socket
import sys
import time
import urllib.parse

token, *bases = sys.argv[1:4]
JSON = "Content-Type: application/scim+json"
BEARER = "Authorization: Bearer " + token
USER = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s","emails":[{"value":"a@b.example"}]}'
LIMIT = 1 << 20
# Headers that the frameworks write in their own way, or not at all.
OWN = {"date", "connection"}


def request(line, *headers, body=None, length=None):
    head = [line + " HTTP/1.1", "Host: scim.example.com", *headers]
    if body is not None:
        head.append(f"Content-Length: {len(body) if length is None else length}")
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + (body or b"")


def chunked(line, body, *headers):
    head = request(line, *headers, "Transfer-Encoding: chunked")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]) if part) + b"0\r\n\r\n"


def cases():
    path = "/scim/v2/Users"
    yield "no token", request(f"GET {path}")
    yield "wrong token", request(f"GET {path}", "Authorization: Bearer wrong")
    yield "another scheme", request(f"GET {path}", "Authorization: Basic " + token)
    yield "two tokens", request(f"GET {path}", BEARER, BEARER)
    yield "no token, with a body", request(f"POST {path}", JSON, body=USER % b"nobody")
    yield "outside the mount", request("GET /", BEARER)
    yield "outside the mount, without a token", request("GET /metrics")
    yield "beside the mount", request("GET /scim/v2x/Users", BEARER)
    yield "an escaped mount", request("GET /scim%2Fv2/Users", BEARER)
    yield "the root", request("GET /scim/v2", BEARER)
    yield "an unknown endpoint", request("GET /scim/v2/Nothing", BEARER)
    for name in ("ServiceProviderConfig", "ResourceTypes", "Schemas", "ServiceProviderConfig?filter=x"):
        yield name, request(f"GET /scim/v2/{name}", BEARER)
        yield name + ", its head", request(f"HEAD /scim/v2/{name}", BEARER)
    yield "nobody's head", request(f"HEAD {path}/nobody", BEARER)
    yield "a head without a token", request(f"HEAD {path}")
    yield "a head outside the mount", request("HEAD /", BEARER)
    yield "create", request(f"POST {path}", BEARER, JSON, body=USER % b"ada")
    yield "create again", request(f"POST {path}", BEARER, JSON, body=USER % b"ADA")
    yield "create in chunks", chunked(f"POST {path}", USER % b"grace", BEARER, JSON)
    yield "create without a body", request(f"POST {path}", BEARER, JSON)
    yield "create with no JSON", request(f"POST {path}", BEARER, JSON, body=b"{")
    yield "create as text", request(f"POST {path}", BEARER, "Content-Type: text/plain", body=USER % b"text")
    yield "a body on a GET", request(f"GET {path}", BEARER, body=b"{}")
    yield "list", request(f"GET {path}?sortBy=userName", BEARER)
    yield "a filter with escapes", request(f"GET {path}?filter=user%4eame%20eq%20%22a%64a%22", BEARER)
    yield "a filter with plus", request(f"GET {path}?filter=userName+eq+%22ada%22", BEARER)
    yield "a filter with quotes", request(f'GET {path}?filter=userName%20eq%20"ada"', BEARER)
    yield "a filter with a broken escape", request(f"GET {path}?filter=%zz", BEARER)
    yield "a filter with bytes that are no UTF-8", request(f"GET {path}?filter=%ff", BEARER)
    for name in ("a%2Fb", "a%20b", "%00", "%ff", "%2e%2e", "..", "", "a//b", "ada;x=y", "%41da"):
        yield f"a path with {name!r}", request(f"GET {path}/{name}", BEARER)
    yield "HTTP/1.0 without a host", f"GET {path}?count=0 HTTP/1.0\r\n{BEARER}\r\n\r\n".encode()
    yield "another letter case", request("GET /scim/v2/uSERS?count=0", BEARER)
    yield "an absolute target", request(f"GET http://elsewhere.example{path}?count=0", BEARER)
    yield "two If-Match", request(f"DELETE {path}/nobody", BEARER, 'If-Match: W/"1"', 'If-Match: W/"2"')
    yield "a header that is no text", request(f"GET {path}?count=0", BEARER, "X: \xe9\xff")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MAGIC"):
        yield f"{method} of a collection", request(f"{method} {path}", BEARER, JSON, body=b"{}")
    yield "bulk", request("POST /scim/v2/Bulk", BEARER, JSON, body=b"{}")
    yield "a body at the limit", request(f"POST {path}", BEARER, JSON, body=b" " * (LIMIT - 1) + b"{")
    yield "a body beyond the limit", request(f"POST {path}", BEARER, JSON, body=b" " * (LIMIT + 1))
    yield "chunks beyond the limit", chunked(f"POST {path}", b" " * (LIMIT + 1), BEARER, JSON)
    yield "a body that is cut", request(f"POST {path}", BEARER, JSON, body=b'{"schemas":', length=100)
    yield "chunks that are cut", request(f"POST {path}", BEARER, JSON, "Transfer-Encoding: chunked") + b"5\r\n{"
    yield "an expected body", request(f"POST {path}", BEARER, JSON, "Expect: 100-continue", body=b"{}")


def hosts():
    """What says for no host, or for two, that it is a request: 400 (RFC 9112 §3.2). actix-web refuses some of it itself."""
    line = "GET /scim/v2/Users?count=0 HTTP/1.1"
    for own in ([], ["Host: a", "Host: b"], ["Host: a", "Host: a"], ["Host: a b"], ["Host: u@a"]):
        yield "\r\n".join([line, *own, BEARER, "", ""]).encode()


def send(base, data):
    """All that comes back on a connection on which nothing else is sent."""
    url = urllib.parse.urlsplit(base)
    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.replace(url.netloc.encode(), b"HOST")


def comparable(answer):
    """Status, headers in order of their names, and body, without what a server makes up."""
    while answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    text = "\n".join([status, *(f"{name}: {value}" for name, value in sorted(headers) if name not in OWN), "", body.decode()])
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)


def wait_for(base):
    url = urllib.parse.urlsplit(base)
    for _ in range(600):
        try:
            return socket.create_connection((url.hostname, url.port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    sys.exit(f"no server listens at {base}")


for base in bases:
    wait_for(base)
different = total = 0
for name, data in cases():
    total += 1
    first, second = (comparable(send(base, data)) for base in bases)
    if first != second or not first.startswith("HTTP/1."):
        different += 1
        print(f"--- {name}: {data[:200]!r}\n{bases[0]}:\n{first[:1500]}\n{bases[1]}:\n{second[:1500]}")
for data in hosts():
    total += 1
    found = [send(base, data)[:13] for base in bases]
    if found != [b"HTTP/1.1 400 "] * 2:
        different += 1
        print(f"--- {data!r}: {found}")
print(f"same answers: {total} requests, {different} answered differently")
sys.exit(1 if different else 0)
