"""Requests that read: filters, orders, pages, what is shown of them, and the resources that are as long as they may be."""
import json
import urllib.parse

from search import EACH_MEMBER, Family, Request
from seed import CORE, ENTERPRISE, MESSAGES

FILTER_BYTES = 8 << 10
OPERATORS = ("pr", "gt", "le", "eq", "sw", "ew", "ne", "co")
LISTS = ("emails", "groups", "members", "phoneNumbers", "entitlements", "addresses")
OF_ATTRIBUTES = {
    "in the e-mails' table": ("emails.type", "emails.primary", "emails", "emails.value"),
    "in the members' table": ("groups.value", "members.type", "members", "members.value", "groups"),
    "with a column": ("id", "active", "meta.created", "externalId", "userName", "displayName"),
    "without a column": ("title", "name.familyName", f"{ENTERPRISE}:department", "nickName", "phoneNumbers.value",
                         "entitlements.value",
                         "entitlements.display", "addresses.formatted", "emails.display", "groups.display", "members.display"),
}
SORTS = (None, "userName", "externalId", "meta.lastModified", "nickName", "emails.value", "emails", "entitlements.value",
         "name.familyName", f"{ENTERPRISE}:department", "members.value", "groups.display", "displayName", "id")
SHOWN = (None, "id", "none", "emails", "groups", "many", "same", "excluded", "all")
PLACES = ("/.search", "/", "/Users/.search", "/Groups", "/Users")


def operand(attribute, kind, n, room):
    if attribute.endswith(("primary", "active")):
        return "true" if n % 2 else "false"
    if attribute.startswith("meta."):
        return f'"2030-01-01T00:00:{n % 60:02}Z"'
    # more than fits is cut where it is put together
    text = {"absent": f"q{n}", "in all": "u", "in many": f"user{n}", "wide": f"é{n}", "fold": f"\u0130{n}",
            "long": "é" * (room // 2 - 1),
            "at the end": "example.com"}[kind]
    return json.dumps(text, ensure_ascii=False)


def filter_of(genome):
    """As many of the terms as fit into the longest filter."""
    attributes = [name for name in OF_ATTRIBUTES[genome["of"]]]
    chosen = attributes if genome["attribute"] == "mixed" else [attributes[genome["attribute"] % len(attributes)]]
    count, terms = genome["terms"], []
    room = max(8, FILTER_BYTES // count - 40)
    for n in range(count):
        attribute = chosen[n % len(chosen)]
        operator = OPERATORS[n % len(OPERATORS)] if genome["operator"] == "mixed" else genome["operator"]
        if operator in ("co", "sw", "ew", "gt", "le") and attribute.endswith(("primary", "active")):
            operator = "eq"
        test = operator if operator == "pr" else f"{operator} {operand(attribute, genome['operand'], n, room)}"
        term = f"{attribute} {test}"
        whole, _, sub = attribute.rpartition(".")
        if genome["shape"] != "plain" and sub and whole in LISTS:
            more = {"pair of paths": f' and type ne "q{n}"', "three in a path": ' or type pr and not (type co "q")'}
            term = f"{whole}[{sub} {test}{more.get(genome['shape'], '')}]"
        terms.append(f"not ({term})" if genome["not"] in ("terms", "both") else term)

    def joined(terms):
        join = genome["join"]
        if join in ("or", "and"):
            text = f" {join} ".join(terms)
        elif join == "pairs":
            text = " and ".join("(" + " or ".join(terms[at:at + 2]) + ")" for at in range(0, len(terms), 2))
        else:
            text, depth = terms[-1], min(28, len(terms) - 1)
            for at in range(depth):
                text = f"{terms[at]} {('and', 'or')[at % 2]} ({text})"
            text = " or ".join(terms[depth:-1] + [text])
        return f"not ({text})" if genome["not"] in ("whole", "both") else text

    while len(joined(terms).encode()) > FILTER_BYTES and len(terms) > 1:
        terms = terms[:len(terms) * FILTER_BYTES // (len(joined(terms).encode()) + 1) or 1]
    return joined(terms)


def listed(genome, world, tenant, found=None):
    """A list or a search, in a URL or in a body."""
    names = {"many": ["emails.value", "name.familyName", "addresses.formatted", "meta.created"] * 16, "same": ["groups"] * 64,
             "all": [f"{CORE}User:emails.value"] * 64, "excluded": ["emails.value", "groups.value"] * 32}
    parameters = {"filter": found, "sortBy": genome["sort"], "sortOrder": genome["order"], "count": genome["count"]}
    if genome["start"]:
        parameters["startIndex"] = {"middle": world.users // 2, "end": world.users - 199, "beyond": 10 ** 9}[genome["start"]]
    if genome["cursor"]:
        parameters["cursor"] = ""
        parameters.pop("startIndex", None)
    shown = genome["shown"]
    if shown == "excluded":
        parameters["excludedAttributes"] = names[shown]
    elif shown:
        parameters["attributes"] = names.get(shown, [shown])
    parameters = {name: value for name, value in parameters.items() if value is not None}
    place = genome["place"]
    if place.endswith(".search"):
        body = {"schemas": [MESSAGES + "SearchRequest"], **parameters}
        return Request(tenant, "POST", place, json.dumps(body, ensure_ascii=False).encode())
    pairs = {name: ",".join(value) if isinstance(value, list) else value for name, value in parameters.items()}
    return Request(tenant, "GET", place + "?" + urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote))


PAGE = {"place": PLACES, "sort": SORTS, "order": (None, "descending"), "count": (None, 0, 1, 200), "cursor": (False, True),
        "start": (None, "middle", "beyond", "end"), "shown": SHOWN}


def filters(of, tenant="people"):
    genes = {"of": (of,), "terms": (1, 2, 8, 16, 32, 64, 128, 256), "join": ("nested", "pairs", "and", "or"),
             "attribute": ("mixed", *range(len(OF_ATTRIBUTES[of]))[:-1], len(OF_ATTRIBUTES[of]) - 1),
             "operator": ("mixed", *OPERATORS), "operand": ("in all", "in many", "long", "fold", "at the end", "wide", "absent"),
             "shape": ("three in a path", "pair of paths", "value path", "plain"), "not": ("both", "whole", "terms", "none"),
             **PAGE, "sort": (*SORTS[1:], None), "order": ("descending", None), "cursor": (True, False),
             "start": ("middle", "beyond", "end", None)}
    if of == "in the members' table":
        genes["attribute"] = ("mixed", *range(1, len(OF_ATTRIBUTES[of])), 0)
    if of == "without a column":
        # the cheap ones need no search, the dear one is what nobody has
        genes["attribute"] = ("mixed", 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 3)
    if tenant != "people":
        genes["attribute"] = ("mixed", 0, 1, 3, 4, 6, 7, 5)
    name = f"filter, {of}" + ("" if tenant == "people" else ", on long users")
    return Family(name, "filter_bytes, filter_depth, filter_terms, scan, work", genes,
                  lambda genome, world: listed(genome, world, tenant, filter_of(genome)))


def long_lists(genome, world):
    return listed(genome, world, genome["tenant"])


def reads(genome, world):
    tenant, path = {"a user": ("people", "/Users/" + world.people[1]), "a member of all groups": world.fixture("hub"),
                    "the grown user": world.fixture("fat"), "a long user": ("long", "/Users/" + world.long[0]),
                    "the large group": world.fixture("crowd"), "the schemas": ("people", "/Schemas"),
                    "the large group in a list": ("crowd", "/Groups"), "the grown user in a list": ("long", "/Users"),
                    "a filter on its members": ("crowd", "/Groups")}[genome["what"]]
    parameters = {}
    if genome["what"] == "a filter on its members":
        parameters["filter"] = 'members[value co "q" or display co "é"]'
    if genome["what"] == "the grown user in a list":
        parameters["filter"] = 'userName eq "user1000000@example.com"'
    if genome["shown"] == "excluded":
        parameters["excludedAttributes"] = ",".join(["members.display", "emails.value"] * 32)
    elif genome["shown"]:
        many = ",".join(["members.value", "entitlements.display", "groups.display", "addresses.formatted"] * 16)
        parameters["attributes"] = many if genome["shown"] == "many" else genome["shown"]
    return Request(tenant, "GET", path + ("?" + urllib.parse.urlencode(parameters) if parameters else ""))


def heads(genome, world):
    tags = ", ".join(f'W/"{"x" * genome["bytes"]}{n}"' for n in range(genome["tags"]))
    headers = {genome["header"]: tags[:60_000]}
    query = "?attributes=" + ",".join(("emails", "name.givenName", "x" * 128)[n % 3] + str(n) for n in range(genome["names"]))
    path = "/Users/" + world.people[1] + (query if genome["names"] else "?x") + "&x=1" * genome["pairs"]
    return Request("people", genome["method"], path, None if genome["method"] == "GET" else b"{}", headers)


FAMILIES = [
    *(filters(of) for of in OF_ATTRIBUTES),
    filters("without a column", "long"),
    Family("order and page", "page_default, page_max, scan, query_bytes",
           {**PAGE, "tenant": ("people",), "place": ("/.search", "/Groups", "/Users/.search", "/Users", "/"),
            "shown": (*SHOWN[1:], None), "cursor": (True, False)}, long_lists),
    Family("list of long users", "query_bytes, answer_bytes, resource_bytes",
           {**PAGE, "tenant": ("long",), "sort": (*SORTS[1:], None), "cursor": (True, False), "start": ("end", "beyond", None),
            "place": ("/.search", "/", "/Users"), "shown": (*SHOWN[1:], None)}, long_lists),
    Family("one resource, long or large", "answer_bytes, resource_bytes, references, listed_references",
           {"what": ("a user", "the schemas", "a long user", "a member of all groups", "a filter on its members",
                     "the grown user in a list", "the grown user", "the large group in a list"),
            "shown": ("id", "many", "members.value", "members.display", "groups", "excluded", None)}, reads),
    Family("a large group, whole", "answer_bytes",
           {"what": ("the large group",), "shown": ("id", "many", "members.value", "members.display", "excluded", None)}, reads,
           each_member=EACH_MEMBER),
    Family("heads", "etags, projection_names, id_bytes",
           {"header": ("Accept", "If-Match", "If-None-Match"), "tags": (1, 8, 17, 1000, 16), "bytes": (1, 50, 3_000),
            "names": (0, 1, 65, 400, 64), "pairs": (0, 100, 5_000), "method": ("PUT", "GET")}, heads),
]
