import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.codelibs.opensearch.runner.node.OpenSearchRunnerNode;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.rankeval.RankEvalModulePlugin;
import org.opensearch.join.ParentJoinModulePlugin;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.percolator.PercolatorModulePlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4ModulePlugin;

/** One OpenSearch node, with the modules of an ordinary one that matter to a search. Arguments: home folder, port. Ends with its standard input. */
public final class Launcher {
  public static void main(String[] arguments) throws Exception {
    Settings settings =
        Settings.builder()
            .put("path.home", arguments[0])
            .put("http.port", arguments[1])
            .put("discovery.type", "single-node")
            .put("cluster.name", "opensearch")
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("action.auto_create_index", false)
            .build();
    List<Class<? extends Plugin>> plugins =
        List.of(
            Netty4ModulePlugin.class,
            MapperExtrasModulePlugin.class,
            ParentJoinModulePlugin.class,
            PercolatorModulePlugin.class,
            RankEvalModulePlugin.class,
            org.opensearch.analysis.common.CommonAnalysisModulePlugin.class,
            org.opensearch.painless.PainlessModulePlugin.class,
            org.opensearch.script.mustache.MustacheModulePlugin.class);
    Path home = Path.of(arguments[0]);
    Node node = new OpenSearchRunnerNode(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "opensearch"), plugins);
    node.start();
    System.out.println("ready");
    while (System.in.read() >= 0) {}
    node.close();
    System.exit(0);
  }
}
