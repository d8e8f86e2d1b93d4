"""Waits for a server, then creates, reads, finds, changes and deletes a user: first-round.py BASE_URL TOKEN."""
import http.client
import json
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

base, token = sys.argv[1:3]
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def call(method, path, body=None, expected=200, bearer=token):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, method=method, data=data)
    request.add_header("Content-Type", "application/scim+json")
    if bearer:
        request.add_header("Authorization", "Bearer " + bearer)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    if status != expected:
        sys.exit(f"{method} {path} is {status}, expected {expected}: {text[:400]!r}")
    return json.loads(text) if text else None


for attempt in range(600):
    try:
        call("GET", "/ServiceProviderConfig")
        break
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        time.sleep(0.1)
else:
    sys.exit(f"no server answers at {base} after a minute")

call("GET", "/Users", expected=401, bearer=None)
user = call("POST", "/Users", {"schemas": [USER], "userName": "round@example.com", "active": True}, expected=201)
path = "/Users/" + user["id"]
assert call("GET", path)["userName"] == "round@example.com", path
found = call("GET", "/Users?filter=" + urllib.parse.quote('userName eq "ROUND@example.com"'))
assert found["totalResults"] == 1, found
change = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": False}]}
assert call("PATCH", path, change)["active"] is False, path
url = urllib.parse.urlsplit(base)
with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
    lines = [f"GET {url.path}/ServiceProviderConfig HTTP/1.1", f"Authorization: Bearer {token}", "Connection: close", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    status = connection.recv(12).decode("latin-1")
    if status not in ("HTTP/1.1 200", "HTTP/1.1 400"):
        sys.exit(f"a request without Host is answered with {status!r}")

call("DELETE", path, expected=204)
call("GET", path, expected=404)
print("first round: 9 requests answered as they should be")
