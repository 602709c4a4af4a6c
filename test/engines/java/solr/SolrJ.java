import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.solr.client.solrj.SolrClient;
import org.apache.solr.client.solrj.SolrRequest;
import org.apache.solr.client.solrj.StreamingResponseCallback;
import org.apache.solr.client.solrj.impl.Http2SolrClient;
import org.apache.solr.client.solrj.impl.HttpJdkSolrClient;
import org.apache.solr.client.solrj.impl.HttpSolrClient;
import org.apache.solr.client.solrj.impl.XMLResponseParser;
import org.apache.solr.common.SolrDocument;
import org.apache.solr.common.SolrDocumentList;
import org.apache.solr.common.SolrInputDocument;
import org.apache.solr.common.params.MultiMapSolrParams;
import org.apache.solr.common.params.SolrParams;
import org.apache.solr.common.util.NamedList;
import org.apache.solr.common.util.Utils;

/**
 * Asks as SolrJ does, and prints what its user gets. Each line of the input is a client, a base URL, a method and the parameters, with tabs
 * between them; each line of the output is JSON.
 */
public final class SolrJ {
  public static void main(String[] arguments) throws Exception {
    Map<String, SolrClient> clients = new LinkedHashMap<>();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] parts = line.split("\t", -1);
      SolrClient client = clients.computeIfAbsent(parts[0] + " " + parts[1], key -> create(parts[0], parts[1]));
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        if (parts[2].equals("ADD")) answer.put("rest", shown(client.add(input(parts[3])).getResponse()));
        else if (parts[2].equals("STREAM")) stream(client, params(parts[3]), answer);
        else query(client, params(parts[3]), SolrRequest.METHOD.valueOf(parts[2]), answer);
      } catch (Exception problem) {
        answer.put("error", problem.getClass().getSimpleName() + ": " + problem.getMessage());
      }
      System.out.write((Utils.toJSONString(answer).replace("\n", " ") + "\n").getBytes(StandardCharsets.UTF_8));
      System.out.flush();
    }
    System.exit(0);
  }

  private static SolrClient create(String name, String url) {
    switch (name) {
      case "jdk":
        return new HttpJdkSolrClient.Builder(url).build();
      case "jetty":
        return new Http2SolrClient.Builder(url).useHttp1_1(true).build();
      case "jetty2":
        return new Http2SolrClient.Builder(url).build();
      case "apache":
        return new HttpSolrClient.Builder(url).build();
      case "xml":
        return new HttpJdkSolrClient.Builder(url).withResponseParser(new XMLResponseParser()).build();
      default:
        throw new IllegalArgumentException(name);
    }
  }

  private static SolrParams params(String search) throws Exception {
    Map<String, String[]> all = new LinkedHashMap<>();
    for (String param : search.split("&")) {
      String[] parts = param.split("=", 2);
      String value = java.net.URLDecoder.decode(parts[1], "UTF-8");
      MultiMapSolrParams.addParam(parts[0], value, all);
    }
    return new MultiMapSolrParams(all);
  }

  private static SolrInputDocument input(String id) {
    SolrInputDocument document = new SolrInputDocument();
    document.addField("id", id);
    return document;
  }

  private static void query(SolrClient client, SolrParams params, SolrRequest.METHOD method, Map<String, Object> answer) throws Exception {
    NamedList<Object> response = client.query(params, method).getResponse();
    SolrDocumentList list = (SolrDocumentList) response.remove("response");
    put(answer, list, list);
    NamedList<?> highlighting = (NamedList<?>) response.remove("highlighting");
    if (highlighting != null) {
      Map<String, Object> byId = new LinkedHashMap<>();
      highlighting.forEach((id, value) -> byId.put(id, shown(value)));
      answer.put("highlighting", byId);
    }
    NamedList<?> header = (NamedList<?>) response.get("responseHeader");
    if (header != null) header.remove("QTime");
    answer.put("rest", shown(response));
  }

  private static void put(Map<String, Object> answer, SolrDocumentList list, List<SolrDocument> documents) {
    answer.put("list", list.getNumFound() + " " + list.getStart() + " " + list.getMaxScore() + " " + list.getNumFoundExact());
    List<Object> all = new ArrayList<>();
    List<Object> ids = new ArrayList<>();
    for (SolrDocument document : documents) {
      all.add(shown(document));
      ids.add(String.valueOf(document.getFieldValue("id")));
    }
    answer.put("docs", all);
    answer.put("ids", ids);
  }

  private static void stream(SolrClient client, SolrParams params, Map<String, Object> answer) throws Exception {
    List<SolrDocument> documents = new ArrayList<>();
    SolrDocumentList list = new SolrDocumentList();
    client.queryAndStreamResponse(
        params,
        new StreamingResponseCallback() {
          @Override
          public void streamSolrDocument(SolrDocument document) {
            documents.add(document);
          }

          @Override
          public void streamDocListInfo(long numFound, long start, Float maxScore) {
            list.setNumFound(numFound);
            list.setStart(start);
            list.setMaxScore(maxScore);
          }
        });
    put(answer, list, documents);
  }

  /** With the class of each value. */
  private static String shown(Object value) {
    if (value == null) return "null";
    String name = value.getClass().getSimpleName();
    StringBuilder text = new StringBuilder();
    if (value instanceof byte[]) return name + Base64.getEncoder().encodeToString((byte[]) value);
    if (value instanceof Date) return name + ((Date) value).getTime();
    if (value instanceof SolrDocument) {
      for (Map.Entry<String, Object> field : (SolrDocument) value) text.append(field.getKey()).append('=').append(shown(field.getValue())).append(' ');
      if (((SolrDocument) value).hasChildDocuments()) text.append("children=").append(shown(((SolrDocument) value).getChildDocuments()));
    } else if (value instanceof SolrDocumentList) {
      SolrDocumentList list = (SolrDocumentList) value;
      text.append(list.getNumFound()).append(' ').append(list.getStart()).append(' ').append(list.getMaxScore()).append(' ');
      for (SolrDocument document : list) text.append(shown(document)).append(' ');
    } else if (value instanceof NamedList) {
      for (Map.Entry<String, ?> entry : (NamedList<?>) value) text.append(entry.getKey()).append('=').append(shown(entry.getValue())).append(' ');
    } else if (value instanceof Map) {
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) text.append(entry.getKey()).append('=').append(shown(entry.getValue())).append(' ');
    } else if (value instanceof Collection) {
      for (Object element : (Collection<?>) value) text.append(shown(element)).append(' ');
    } else text.append(value);
    return name + "(" + text.toString().trim() + ")";
  }
}
