import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.solr.client.solrj.request.CollectionAdminRequest;
import org.apache.solr.cloud.MiniSolrCloudCluster;
import org.apache.solr.embedded.JettyConfig;

/** A SolrCloud of one node, and a collection of two shards for each folder with a `conf`. Arguments: home folder, port. Ends with its standard input. */
public final class Cloud {
  public static void main(String[] arguments) throws Exception {
    // Those of the test framework would close the process over a security manager.
    System.setProperty("solr.security.manager.enabled", "false");
    Path home = Path.of(arguments[0]);
    JettyConfig jetty = JettyConfig.builder().setContext("/solr").setPort(Integer.parseInt(arguments[1])).build();
    MiniSolrCloudCluster cluster = new MiniSolrCloudCluster(1, home.resolve("data"), jetty);
    List<Path> collections;
    try (Stream<Path> folders = Files.list(home)) {
      collections = folders.filter(folder -> Files.isDirectory(folder.resolve("conf"))).toList();
    }
    for (Path collection : collections) {
      String name = collection.getFileName().toString();
      cluster.uploadConfigSet(collection.resolve("conf"), name);
      CollectionAdminRequest.createCollection(name, name, 2, 1).process(cluster.getSolrClient());
      cluster.waitForActiveCollection(name, 2, 2);
    }
    System.out.println("ready");
    while (System.in.read() >= 0) {}
    cluster.shutdown();
    System.exit(0);
  }
}
