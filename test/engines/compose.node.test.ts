/** compose.yaml against the engines of the tests: what is started with Docker is what is asked without it. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { addresses, composedServices } from "./compose.ts";
import { ENGINES } from "./launch.ts";

const services = composedServices();

it("has a service for each engine, on an address of its own", () => {
  expect(Object.keys(services)).toEqual(expect.arrayContaining([...Object.keys(ENGINES), "vespa"]));
  const ports = Object.values(services).flatMap(({ ports: own = [] }) => own);
  expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
  expect(new Set(ports).size).toBe(ports.length);
  expect(Object.keys(addresses())).toEqual(Object.values(ENGINES).map(({ url }) => url));
});

it("has the versions that come from Maven", () => {
  const poms: Readonly<Record<string, string>> = { solrcloud: "solr" };
  for (const name of Object.keys(ENGINES)) {
    const pom = new URL(`java/${poms[name] ?? name}/pom.xml`, import.meta.url);
    const image = services[name]?.image ?? "";
    expect(image, name).toMatch(/:v?\d+\.\d+/);
    if (!existsSync(pom)) continue;
    const version = image.slice(image.indexOf(":") + 1);
    expect(readFileSync(pom, "utf8"), name).toContain(`<version>${version}`);
  }
});
