import co.elastic.clients.elasticsearch.ElasticsearchClient;
import co.elastic.clients.transport.rest5_client.Rest5ClientTransport;
import co.elastic.clients.transport.rest5_client.low_level.Rest5Client;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.message.BasicHeader;
import org.opensearch.client.opensearch.OpenSearchClient;
import org.opensearch.client.transport.httpclient5.ApacheHttpClient5TransportBuilder;

/** The official Java clients of Elasticsearch and OpenSearch. Arguments: engine, its address, the edge's, hits of the window. Prints a JSON list of calls, as clients/judge.ts reads them. */
public final class Clients {
  /** One call, answered by ids and by whatever else can be compared. */
  private interface Session {
    Map<String, Object> search(String words, int from, int size) throws Exception;

    Object ping() throws Exception;
  }

  private interface Open {
    Session at(String url, Header[] headers) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    boolean isOpenSearch = arguments[0].equals("opensearch");
    String client = isOpenSearch ? "opensearch-java 3" : "elasticsearch-java 9";
    List<Object> calls = new ArrayList<>();
    for (boolean isCompressed : new boolean[] {false, true}) {
      Open open = (url, headers) -> isOpenSearch ? openSearch(url, headers, isCompressed) : elasticsearch(url, headers, isCompressed);
      Session[] sessions = {open.at(arguments[1], new Header[0]), open.at(arguments[2], new Header[] {new BasicHeader("x-armmt", "off")}), open.at(arguments[2], new Header[0])};
      String name = isCompressed ? client + ", gzip" : client;
      Object window = sessions[0].search("red mug", 0, Integer.parseInt(arguments[3])).get("ids");
      calls.add(call(name, "search", sessions, window, session -> session.search("red mug", 0, 10)));
      calls.add(call(name, "page 2", sessions, window, session -> session.search("red mug", 10, 10)));
      calls.add(call(name, "ping", sessions, null, session -> Map.of("ids", List.of(), "rest", session.ping())));
    }
    System.out.println(new ObjectMapper().writeValueAsString(calls));
    System.exit(0);
  }

  private interface Run {
    Map<String, Object> with(Session session) throws Exception;
  }

  private static Map<String, Object> call(String client, String call, Session[] sessions, Object window, Run run) {
    Map<String, Object> made = new LinkedHashMap<>(Map.of("client", client, "call", call));
    String[] ways = {"direct", "off", "served"};
    for (int i = 0; i < ways.length; i++) {
      try {
        made.put(ways[i], run.with(sessions[i]));
      } catch (Exception error) {
        made.put(ways[i], Map.of("error", String.valueOf(error)));
      }
    }
    if (window != null) made.put("window", window);
    return made;
  }

  private static Session openSearch(String url, Header[] headers, boolean isCompressed) {
    URI address = URI.create(url);
    OpenSearchClient client =
        new OpenSearchClient(
            ApacheHttpClient5TransportBuilder.builder(new HttpHost("http", address.getHost(), address.getPort())).setDefaultHeaders(headers).setCompressionEnabled(isCompressed).build());
    return new Session() {
      @Override
      public Map<String, Object> search(String words, int from, int size) throws Exception {
        var found =
            client.search(
                s ->
                    s.index("products")
                        .from(from)
                        .size(size)
                        .query(q -> q.match(m -> m.field("title").query(v -> v.stringValue(words))))
                        .aggregations("categories", a -> a.terms(t -> t.field("category.raw"))),
                Map.class);
        var categories = found.aggregations().get("categories").sterms().buckets().array().stream().map(b -> b.key() + " " + b.docCount()).toList();
        return Map.of("ids", found.hits().hits().stream().map(hit -> hit.id()).toList(), "rest", List.of(found.hits().total().value(), categories));
      }

      @Override
      public Object ping() throws Exception {
        return client.ping().value();
      }
    };
  }

  private static Session elasticsearch(String url, Header[] headers, boolean isCompressed) {
    Rest5Client rest = Rest5Client.builder(URI.create(url)).setDefaultHeaders(headers).setCompressionEnabled(isCompressed).build();
    ElasticsearchClient client = new ElasticsearchClient(new Rest5ClientTransport(rest, new co.elastic.clients.json.jackson.JacksonJsonpMapper()));
    return new Session() {
      @Override
      public Map<String, Object> search(String words, int from, int size) throws Exception {
        var found =
            client.search(
                s ->
                    s.index("products")
                        .from(from)
                        .size(size)
                        .query(q -> q.match(m -> m.field("title").query(words)))
                        .aggregations("categories", a -> a.terms(t -> t.field("category.raw"))),
                Map.class);
        var categories = found.aggregations().get("categories").sterms().buckets().array().stream().map(b -> b.key().stringValue() + " " + b.docCount()).toList();
        return Map.of("ids", found.hits().hits().stream().map(hit -> hit.id()).toList(), "rest", List.of(found.hits().total().value(), categories));
      }

      @Override
      public Object ping() throws Exception {
        return client.ping().value();
      }
    };
  }
}
