"""The engines' official Python clients. Arguments: engine, its address, the edge's, hits of the window. Prints a JSON list of calls, as clients/judge.ts reads them."""

import json
import sys

OFF = {"x-armmt": "off"}


def hits_of(reply):
    return {
        "ids": [hit["_id"] for hit in reply["hits"]["hits"]],
        "rest": {"total": reply["hits"]["total"], "aggregations": reply.get("aggregations")},
    }


class ElasticsearchSession:
    """Elasticsearch and OpenSearch: their clients have the same calls."""

    def __init__(self, client, spread):
        self.client = client
        self.spread = spread

    def search(self, start, size):
        body = {
            "query": {"match": {"title": "red mug"}},
            "from": start,
            "size": size,
            "aggs": {"categories": {"terms": {"field": "category.raw"}}},
        }
        if self.spread:
            return hits_of(self.client.search(index="products", query=body["query"], from_=start, size=size, aggs=body["aggs"]))
        return hits_of(self.client.search(index="products", body=body))

    def several(self):
        lines = [{}, {"query": {"match": {"title": "red mug"}}, "sort": [{"price": "asc"}]}, {}, {"size": 0}]
        call = {"searches": lines} if self.spread else {"body": lines}
        replies = self.client.msearch(index="products", **call)["responses"]
        return {"ids": [], "rest": [hits_of(reply) for reply in replies]}

    def others(self):
        return {
            "several searches": self.several,
            "ping": lambda: {"ids": [], "rest": self.client.ping()},
            "info": lambda: {"ids": [], "rest": dict(self.client.info())},
        }


def elasticsearch_9(compress):
    from elasticsearch import Elasticsearch

    return lambda url, headers: ElasticsearchSession(Elasticsearch(url, headers=headers, http_compress=compress), True)


def elasticsearch_7(compress):
    from elasticsearch7 import Elasticsearch

    return lambda url, headers: ElasticsearchSession(Elasticsearch([url], headers=headers, http_compress=compress), False)


def opensearch(compress):
    from opensearchpy import OpenSearch

    return lambda url, headers: ElasticsearchSession(OpenSearch([url], headers=headers, http_compress=compress), False)


class SolrSession:
    def __init__(self, url, headers):
        import pysolr
        import requests

        session = requests.Session()
        session.headers.update(headers)
        self.client = pysolr.Solr(f"{url}/solr/products", session=session)
        self.more = {}

    def search(self, start, size):
        found = self.client.search("red mug", **{**FACETS, **self.more, "start": start, "rows": size})
        ids = [document["id"] for document in found]
        return {"ids": ids, "rest": [found.hits, found.facets, sorted(found.highlighting) == sorted(ids)]}

    def others(self):
        return {}


FACETS = {"facet": "true", "facet.field": "category", "hl": "true", "hl.fl": "title"}


def haystack():
    """The parameters that django-haystack makes of a search."""
    import django
    from django.conf import settings

    engine = {"ENGINE": "haystack.backends.solr_backend.SolrEngine", "URL": "http://127.0.0.1:9/solr/products"}
    settings.configure(INSTALLED_APPS=["haystack"], HAYSTACK_CONNECTIONS={"default": engine})
    django.setup()
    from haystack import connections

    made = connections["default"].get_backend().build_search_kwargs("red mug", highlight=True, facets={"category": {}})

    def open_session(url, headers):
        session = SolrSession(url, headers)
        # The field of haystack's own schema is another one.
        session.more = {**made, "df": "title", "hl.fl": "title"}
        return session

    return open_session


class VespaSession:
    def __init__(self, url, headers):
        from vespa.application import Vespa

        self.client = Vespa(url=url, additional_headers=headers)

    def search(self, start, size):
        yql = "select * from products where userQuery()"
        reply = self.client.query(body={"yql": yql, "query": "leather bag", "offset": start, "hits": size})
        return {"ids": [hit["id"] for hit in reply.hits], "rest": reply.number_documents_retrieved}

    def others(self):
        return {}


CLIENTS = {
    "opensearch": {"opensearch-py 3": lambda: opensearch(False), "opensearch-py 3, gzip": lambda: opensearch(True)},
    "elasticsearch-9": {"elasticsearch-py 9": lambda: elasticsearch_9(False), "elasticsearch-py 9, gzip": lambda: elasticsearch_9(True)},
    "elasticsearch-7": {"elasticsearch-py 7": lambda: elasticsearch_7(False), "elasticsearch-py 7, gzip": lambda: elasticsearch_7(True)},
    "solr": {"pysolr": lambda: SolrSession, "haystack": haystack},
    "vespa": {"pyvespa": lambda: VespaSession},
}


def answer_of(run):
    try:
        return run()
    except Exception as error:  # noqa: BLE001 - each client has its own
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main():
    name, engine, edge, window_size = sys.argv[1:]
    calls = []
    for client, prepare in CLIENTS[name].items():
        open_session = prepare()
        sessions = {"direct": open_session(engine, {}), "off": open_session(edge, OFF), "served": open_session(edge, {})}
        window = sessions["direct"].search(0, int(window_size))["ids"]
        for label, start in [("search", 0), ("page 2", 10)]:
            answers = {way: answer_of(lambda: session.search(start, 10)) for way, session in sessions.items()}
            calls.append({"client": client, "call": label, **answers, "window": window})
        for label in sessions["direct"].others():
            answers = {way: answer_of(session.others()[label]) for way, session in sessions.items()}
            calls.append({"client": client, "call": label, **answers})
    print(json.dumps(calls))


main()
