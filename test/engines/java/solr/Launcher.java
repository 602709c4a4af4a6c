import org.apache.solr.embedded.JettyConfig;
import org.apache.solr.embedded.JettySolrRunner;

/** A standalone Solr. Arguments: home folder with solr.xml and cores, port. Ends with its standard input. */
public final class Launcher {
  public static void main(String[] arguments) throws Exception {
    JettyConfig config = JettyConfig.builder().setContext("/solr").setPort(Integer.parseInt(arguments[1])).build();
    JettySolrRunner solr = new JettySolrRunner(arguments[0], config);
    solr.start();
    System.out.println("ready");
    while (System.in.read() >= 0) {}
    solr.stop();
    System.exit(0);
  }
}
