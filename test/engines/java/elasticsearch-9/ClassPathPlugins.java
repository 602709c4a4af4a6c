package org.elasticsearch.plugins;

import java.util.List;
import org.elasticsearch.env.Environment;
import org.elasticsearch.transport.netty4.Netty4Plugin;

/** Plugins from the class path instead of from the folders of a distribution. */
public final class ClassPathPlugins extends PluginsService {
  private final List<LoadedPlugin> loaded;

  public ClassPathPlugins(Environment environment, PluginsLoader loader) {
    super(environment.settings(), environment.configDir(), loader);
    loaded = List.of(loadedPlugin(new Netty4Plugin()));
  }

  @Override
  protected List<LoadedPlugin> plugins() {
    // The super constructor asks before there are any.
    return loaded == null ? List.of() : loaded;
  }

  private static LoadedPlugin loadedPlugin(Plugin plugin) {
    String name = plugin.getClass().getName();
    PluginDescriptor descriptor = new PluginDescriptor(name, "", "1", "1", "21", name, null, List.of(), false, false, false, false, PluginDescriptor.DeploymentTarget.ALL);
    return new LoadedPlugin(descriptor, plugin, ClassPathPlugins.class.getClassLoader());
  }
}
