import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.yahoo.component.chain.dependencies.Before;
import com.yahoo.component.chain.dependencies.Provides;
import com.yahoo.document.DocumentId;
import com.yahoo.prelude.fastsearch.FastHit;
import com.yahoo.prelude.query.*;
import com.yahoo.search.Query;
import com.yahoo.search.Result;
import com.yahoo.search.Searcher;
import com.yahoo.search.grouping.Continuation;
import com.yahoo.search.grouping.GroupingRequest;
import com.yahoo.search.grouping.request.AttributeValue;
import com.yahoo.search.grouping.result.*;
import com.yahoo.search.query.Sorting;
import com.yahoo.search.result.Coverage;
import com.yahoo.search.result.ErrorMessage;
import com.yahoo.search.result.Hit;
import com.yahoo.search.result.Relevance;
import com.yahoo.search.searchchain.Execution;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Stands where Vespa asks its content nodes, which are no Java: matches and scores documents by their words, sorts, groups and fills. Words of the
 * query make it fail as content nodes do: "halfwide" and "brokenwide" where more than 20 hits are asked for.
 */
@Before("GroupingExecutor")
@Provides("ContentNode")
public final class ContentNode extends Searcher {
  private static final int WIDE = 20;
  private static final Set<String> PROFILES = Set.of("default", "bm25", "semantic", "hybrid", "unranked", "even");
  private static final Map<String, List<String>> SUMMARIES =
      Map.of("short", List.of("title", "price"), "known", List.of("sku", "title"), "attributeprefetch", List.of("price", "sku"));

  /** Schema → its documents. */
  private final Map<String, List<JsonNode>> schemas = new TreeMap<>();

  public ContentNode() throws Exception {
    JsonNode all = new ObjectMapper().readTree(new File("documents.json"));
    all.fieldNames().forEachRemaining(name -> schemas.put(name, listOf(all.get(name))));
  }

  private static List<JsonNode> listOf(JsonNode array) {
    List<JsonNode> list = new ArrayList<>();
    array.forEach(list::add);
    return list;
  }

  private record Match(String schema, int number, JsonNode document, double score) {}

  @Override
  public Result search(Query query, Execution execution) {
    // The next searchers check and rewrite queries, and the last one would ask nodes that are not there.
    query.prepare();
    Result result = new Result(query);
    String profile = query.getRanking().getProfile();
    if (!PROFILES.contains(profile)) {
      result.hits().addError(ErrorMessage.createInvalidQueryParameter("schema 'products' has no such rank profile '" + profile + "'"));
      return result;
    }
    Item root = query.getModel().getQueryTree().getRoot();
    if (root instanceof NullItem) {
      result.hits().addError(ErrorMessage.createNullQuery("No query"));
      return result;
    }
    if (query.properties().getBoolean("echo")) result.hits().add(askedOf(query));
    boolean isWide = query.getOffset() + query.getHits() > WIDE;
    Set<String> words = new HashSet<>();
    wordsOf(root, words);
    if (isWide && words.contains("brokenwide")) {
      result.hits().addError(ErrorMessage.createTimeout("Backend communication timeout on content node 0"));
      return result;
    }
    List<Match> matches = new ArrayList<>();
    for (String schema : schemasOf(query)) {
      List<JsonNode> documents = schemas.get(schema);
      for (int i = 0; i < documents.size(); i++) {
        double score = match(root, documents.get(i), query);
        // Different for all, as real scores nearly always are.
        if (score > 0) matches.add(new Match(schema, i, documents.get(i), profile.equals("unranked") ? 0 : profile.equals("even") ? score : score + 1.0 / (i + 2)));
      }
    }
    boolean isHalf = isWide && words.contains("halfwide");
    if (isHalf) matches = matches.stream().filter(match -> match.number % 2 == 0).collect(Collectors.toList());
    Sorting sorting = query.getRanking().getSorting();
    matches.sort(sorting == null ? Comparator.comparingDouble(Match::score).reversed() : by(sorting));
    result.setTotalHitCount(matches.size());
    long active = schemas.values().stream().mapToLong(List::size).sum();
    Coverage coverage = new Coverage(isHalf ? active / 2 : active, active, 1).setTargetActive(active);
    if (isHalf) coverage.setDegradedReason(com.yahoo.container.handler.Coverage.DEGRADED_BY_TIMEOUT);
    if (query.getRanking().getMatchPhase().getMaxHits() != null && matches.size() > query.getRanking().getMatchPhase().getMaxHits()) {
      coverage = new Coverage(active / 2, active, 1).setTargetActive(active);
      coverage.setDegradedReason(com.yahoo.container.handler.Coverage.DEGRADED_BY_MATCH_PHASE);
    }
    result.setCoverage(coverage);
    int position = query.getOffset();
    for (Match match : matches.stream().skip(query.getOffset()).limit(query.getHits()).toList()) {
      double relevance = sorting == null ? match.score : 0;
      FastHit hit = new FastHit(new DocumentId("id:products:" + match.schema + "::" + match.number).getGlobalId(), relevance, OptionalInt.empty(), 0, 0);
      hit.setSource("shop");
      hit.setQuery(query);
      hit.setField("sddocname", match.schema);
      if (sorting != null) hit.setSortData(ByteBuffer.allocate(4).putInt(position++).array(), sorting);
      hit.setSearcherSpecificMetaData(this, match);
      hit.setFillable();
      result.hits().add(hit);
    }
    for (GroupingRequest request : query.getSelect().getGrouping()) result.hits().add(groupsOf(request, matches));
    return result;
  }

  /** A hit that says how the container has read the request. */
  private static Hit askedOf(Query query) {
    Set<String> words = new TreeSet<>();
    positiveWordsOf(query.getModel().getQueryTree().getRoot(), words);
    Hit hit = new Hit("asked", 1000);
    hit.setMeta(true);
    hit.setField("offset", query.getOffset());
    hit.setField("hits", query.getHits());
    hit.setField("words", String.join(" ", words));
    hit.setField("isSorted", query.getRanking().getSorting() != null);
    hit.setField("restrict", String.join(" ", query.getModel().getRestrict() == null ? Set.of() : query.getModel().getRestrict()));
    return hit;
  }

  private static void positiveWordsOf(Item item, Set<String> words) {
    if (item instanceof NotItem not) {
      if (not.getPositiveItem() != null) positiveWordsOf(not.getPositiveItem(), words);
    } else if (item instanceof CompositeItem all) {
      for (Item part : all.items()) positiveWordsOf(part, words);
    } else if (item instanceof WordItem word) words.add(word.stringValue().toLowerCase(Locale.ROOT).replace("*", ""));
  }

  private Collection<String> schemasOf(Query query) {
    Set<String> restrict = query.getModel().getRestrict();
    Set<String> asked = restrict == null || restrict.isEmpty() ? query.getModel().getSources() : restrict;
    List<String> known = asked.stream().filter(schemas::containsKey).toList();
    return known.isEmpty() && (restrict == null || restrict.isEmpty()) ? schemas.keySet() : known;
  }

  /** 0 for no match. */
  private double match(Item item, JsonNode document, Query query) {
    if (item instanceof TrueItem || item instanceof NearestNeighborItem) return 0.5;
    if (item instanceof FalseItem) return 0;
    if (item instanceof NotItem not) {
      for (int i = 1; i < not.getItemCount(); i++) if (match(not.getItem(i), document, query) > 0) return 0;
      return not.getPositiveItem() == null ? 0.5 : match(not.getPositiveItem(), document, query);
    }
    if (item instanceof RankItem rank) return match(rank.getItem(0), document, query);
    if (item instanceof OrItem || item instanceof WeakAndItem || item instanceof EquivItem) {
      double sum = 0;
      for (Item part : ((CompositeItem) item).items()) sum += match(part, document, query);
      return sum;
    }
    if (item instanceof CompositeItem all) {
      double sum = 0;
      for (Item part : all.items()) {
        double score = match(part, document, query);
        if (score == 0) return 0;
        sum += score;
      }
      return sum;
    }
    if (item instanceof IntItem range) {
      double value = document.path(range.getIndexName()).asDouble(Double.NaN);
      return value >= range.getFromLimit().number().doubleValue() && value <= range.getToLimit().number().doubleValue() ? 0.5 : 0;
    }
    if (item instanceof TermItem term) {
      String word = term.stringValue().toLowerCase(Locale.ROOT);
      if (word.endsWith("wide")) return document.has("sku") ? 0.5 : 0;
      String field = term.getIndexName().isEmpty() || term.getIndexName().equals("default") ? "title" : term.getIndexName();
      String text = document.path(field).asText().toLowerCase(Locale.ROOT);
      int at = (" " + text + " ").indexOf(" " + word + " ");
      return at < 0 ? 0 : term.getWeight() / 100.0 * (1 + 1.0 / (2 + at));
    }
    return 0;
  }

  private static void wordsOf(Item item, Set<String> words) {
    if (item instanceof CompositeItem all) for (Item part : all.items()) wordsOf(part, words);
    if (item instanceof TermItem term) words.add(term.stringValue().toLowerCase(Locale.ROOT));
  }

  private static Comparator<Match> by(Sorting sorting) {
    Comparator<Match> order = (a, b) -> 0;
    for (Sorting.FieldOrder field : sorting.fieldOrders()) {
      String name = field.getFieldName();
      ToDoubleFunction<Match> value = name.equals("[relevance]") || name.equals("[rank]") ? Match::score : match -> match.document.path(name).asDouble();
      Comparator<Match> next = Comparator.comparingDouble(value);
      order = order.thenComparing(field.getSortOrder() == Sorting.Order.DESCENDING ? next.reversed() : next);
    }
    return order.thenComparingInt(Match::number);
  }

  private static RootGroup groupsOf(GroupingRequest request, List<Match> matches) {
    String field = request.getRootOperation().getGroupBy() instanceof AttributeValue attribute ? attribute.getAttributeName() : "category";
    Map<String, Integer> counts = new TreeMap<>();
    for (Match match : matches) counts.merge(match.document.path(field).asText(), 1, Integer::sum);
    GroupList list = new GroupList(field);
    counts.forEach((value, count) -> {
      Group group = new Group(new StringId(value), new Relevance(count));
      group.setField("count()", count);
      list.add(group);
    });
    RootGroup root = new RootGroup(0, new FirstPage());
    root.add(list);
    return root;
  }

  private static final class FirstPage extends Continuation {
    @Override
    public Continuation copy() { return this; }

    @Override
    public String toString() { return "BGAAABEBCA"; }
  }

  @Override
  public void fill(Result result, String summary, Execution execution) {
    Query query = result.getQuery();
    Set<String> selected = query.getPresentation().getSummaryFields();
    String asked = "[presentation]".equals(summary) ? query.getPresentation().getSummary() : summary;
    List<String> fields = asked == null ? null : SUMMARIES.get(asked);
    Set<String> words = new HashSet<>();
    wordsOf(query.getModel().getQueryTree().getRoot(), words);
    for (Iterator<Hit> hits = result.hits().deepIterator(); hits.hasNext();) {
      Hit hit = hits.next();
      if (!(hit.getSearcherSpecificMetaData(this) instanceof Match match) || hit.isFilled(summary)) continue;
      match.document.fields().forEachRemaining(field -> {
        if (fields == null ? selected.isEmpty() || selected.contains(field.getKey()) : fields.contains(field.getKey()))
          hit.setField(field.getKey(), valueOf(field.getKey(), field.getValue(), words));
      });
      if (fields == null && (selected.isEmpty() || selected.contains("documentid")))
        hit.setField("documentid", "id:products:" + match.schema + "::" + match.number);
      hit.setFilled(summary);
    }
  }

  /** Titles carry the marks between which the container sets words in bold. */
  private static Object valueOf(String name, JsonNode value, Set<String> words) {
    if (value.isInt()) return value.asInt();
    if (value.isNumber()) return value.asDouble();
    if (value.isBoolean()) return value.asBoolean();
    if (!name.equals("title")) return value.asText();
    return Arrays.stream(value.asText().split(" "))
        .map(word -> words.contains(word.toLowerCase(Locale.ROOT)) ? "\u001f" + word + "\u001f" : word)
        .collect(Collectors.joining(" "));
  }
}
