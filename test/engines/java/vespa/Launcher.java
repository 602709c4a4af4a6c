import com.yahoo.application.Application;
import com.yahoo.application.Networking;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Vespa's query container. Arguments: home folder, which holds the application package and documents.json; port. Ends with its standard input. */
public final class Launcher {
  public static void main(String[] arguments) throws Exception {
    Application container = Application.fromApplicationPackage(Path.of(arguments[0]), Networking.enable);
    // The first search takes longer than searches may.
    URI first = URI.create("http://127.0.0.1:" + arguments[1] + "/search/?query=first&timeout=60s");
    HttpClient.newHttpClient().send(HttpRequest.newBuilder(first).build(), HttpResponse.BodyHandlers.discarding());
    System.out.println("ready");
    while (System.in.read() >= 0) {}
    container.close();
    System.exit(0);
  }
}
