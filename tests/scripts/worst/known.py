"""The dearest requests that an attack has found by hand, as genes: the search can come upon each of them, or `genomes` fails."""

# family, what the genes are where they are not at their dearest
SHAPES = (
    ("bulk of PATCHes", {"what": "selector", "op": "remove", "operand": "short", "selector": "co", "terms": 1, "each": 9,
                         "user": "fat"}),
    ("bulk of small PATCHes", {"what": "nothing", "user": "fat", "each": 1}),
    ("filter, in the e-mails' table", {"shape": "plain", "operator": "co", "join": "or", "shown": None}),
    ("filter, in the e-mails' table", {"shape": "plain", "operator": "ne", "join": "and", "shown": None}),
    ("filter, in the e-mails' table", {"shape": "value path", "operator": "eq", "join": "and", "shown": None}),
    ("filter, in the e-mails' table", {"shape": "value path", "operator": "sw", "operand": "in all", "join": "and", "shown": None}),
    ("PATCH without paths", {"value": 100, "operations": 1000, "user": "typical"}),
    ("PATCH with lists", {"what": "list", "op": "remove", "operations": 130, "value": 100}),
    ("order and page", {"place": "/", "sort": "id", "order": None, "count": None, "start": "end", "cursor": False, "shown": None}),
    ("filter, without a column", {"terms": 1, "operator": "eq", "operand": "absent", "shown": None}),
    ("PATCH of a user", {"user": "long", "operations": 1000, "op": "remove", "what": "selector", "selector": "co", "terms": 1}),
    ("filter, with a column", {"operator": "co", "operand": "absent", "join": "or"}),
    ("a large group, whole", {"what": "the large group"}),
    ("one resource, long or large", {"what": "the large group in a list"}),
    ("one resource, long or large", {"what": "the grown user"}),
    ("PATCH of members", {"group": "crowd", "op": "remove", "path": "type", "operations": 1}),
    ("bulk of creations", {"operations": 1000}),
    ("bulk with passwords", {"operations": 1000}),
)


def genomes(family):
    """Those of a family."""
    dearest = {gene: choices[-1] for gene, choices in family.genes.items()}
    for name, genes in SHAPES:
        if name == family.name:
            for gene, value in genes.items():
                assert value in family.genes[gene], f"{family.name}: {gene} is never {value}"
            yield {**dearest, **genes}
