import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.solr.client.solrj.SolrClient;
import org.apache.solr.client.solrj.SolrQuery;
import org.apache.solr.client.solrj.SolrRequest;
import org.apache.solr.client.solrj.impl.Http2SolrClient;
import org.apache.solr.client.solrj.impl.HttpJdkSolrClient;
import org.apache.solr.client.solrj.impl.HttpSolrClient;
import org.apache.solr.client.solrj.impl.XMLResponseParser;
import org.apache.solr.client.solrj.request.QueryRequest;
import org.noggit.JSONUtil;

/** SolrJ in its three clients. Arguments: "solr", its address, the edge's, hits of the window. Prints a JSON list of calls, as clients/judge.ts reads them. */
public final class Clients {
  private interface Open {
    SolrClient at(String url);
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, Open> clients = new LinkedHashMap<>();
    clients.put("SolrJ 9 HttpSolrClient, javabin", url -> new HttpSolrClient.Builder(url).allowCompression(true).build());
    clients.put("SolrJ 9 Http2SolrClient, javabin", url -> new Http2SolrClient.Builder(url).useHttp1_1(true).build());
    clients.put("SolrJ 9 HttpJdkSolrClient, javabin", url -> new HttpJdkSolrClient.Builder(url).build());
    clients.put("SolrJ 9 HttpJdkSolrClient, XML", url -> new HttpJdkSolrClient.Builder(url).withResponseParser(new XMLResponseParser()).build());
    List<Object> calls = new ArrayList<>();
    for (Map.Entry<String, Open> entry : clients.entrySet()) {
      try (SolrClient engine = entry.getValue().at(arguments[1] + "/solr");
          SolrClient edge = entry.getValue().at(arguments[2] + "/solr")) {
        Object window = search(engine, false, 0, Integer.parseInt(arguments[3]), false).get("ids");
        for (boolean isPost : new boolean[] {false, true}) {
          for (int start : new int[] {0, 10}) {
            Map<String, Object> call = new LinkedHashMap<>();
            call.put("client", entry.getKey());
            call.put("call", "search by " + (isPost ? "POST" : "GET") + " from " + start);
            call.put("direct", answer(engine, false, start, isPost));
            call.put("off", answer(edge, true, start, isPost));
            call.put("served", answer(edge, false, start, isPost));
            // XML is passed through as it is.
            if (!entry.getKey().endsWith("XML")) call.put("window", window);
            calls.add(call);
          }
        }
      }
    }
    System.out.println(JSONUtil.toJSON(calls, -1));
    System.exit(0);
  }

  private static Map<String, Object> answer(SolrClient client, boolean isOff, int start, boolean isPost) {
    try {
      return search(client, isOff, start, 10, isPost);
    } catch (Exception error) {
      return Map.of("error", String.valueOf(error));
    }
  }

  private static Map<String, Object> search(SolrClient client, boolean isOff, int start, int rows, boolean isPost) throws Exception {
    SolrQuery query = new SolrQuery("red mug").setStart(start).setRows(rows).addFacetField("category").setHighlight(true);
    query.set("hl.fl", "title");
    QueryRequest request = new QueryRequest(query, isPost ? SolrRequest.METHOD.POST : SolrRequest.METHOD.GET);
    if (isOff) request.addHeader("x-armmt", "off");
    var found = request.process(client, "products");
    List<Object> ids = new ArrayList<>();
    boolean isHighlighted = true;
    for (var document : found.getResults()) {
      ids.add(document.getFieldValue("id"));
      isHighlighted &= found.getHighlighting().containsKey(document.getFieldValue("id"));
    }
    List<Object> facets = new ArrayList<>();
    for (var count : found.getFacetField("category").getValues()) facets.add(count.getName() + " " + count.getCount());
    return Map.of("ids", ids, "rest", List.of(found.getResults().getNumFound(), found.getResults().getStart(), isHighlighted, facets));
  }
}
