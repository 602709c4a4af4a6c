/**
 * Scripts of clients, as far as the edge lets them run with its own key: one expression over the document, the parameters and the score.
 *
 * A statement could loop, or double a text until the node has no memory left; an expression costs as much as it is long. Names stand in an
 * allow-list, because the engine's library has methods that do either.
 */

/** A text, a number, a name, or one or two signs. */
const TOKEN =
  /\s+|'(?:[^'\\]|\\['\\])*'|"(?:[^"\\]|\\["\\])*"|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[lLfFdD]?|[A-Za-z_]\w*|===?|[!<>]==?|->|::|\/[/*]|[^]/gy;

const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs acos asin atan atan2 cbrt ceil cos exp floor haversin hypot ln log log10 log1p log2 logn max min pow random round signum sin sqrt tan
  toDegrees toRadians size length isEmpty empty get containsKey contains indexOf getValue getLat getLon getMillis toInstant toEpochMilli getYear
  arcDistance planeDistance arcDistanceWithDefault cosineSimilarity dotProduct l1norm l2norm l1Norm l2Norm lInfNorm hamming innerProduct
  maxSimDotProduct maxSimInvHamming hammingBit saturation sigmoid randomScore decayNumericLinear decayNumericExp decayNumericGauss decayDateLinear
  decayDateExp decayDateGauss decayGeoLinear decayGeoExp decayGeoGauss emit sum stdDev unweightedAvg linearWeightedAvg ewma holt
  intValue longValue floatValue doubleValue`.split(/\s+/),
);

const ROOTS: ReadonlySet<string> = new Set(
  "doc params _score _value value values Math MovingFunctions true false null return knn_score".split(" "),
);

const SIGNS = new Set("+-*/%()[].,<>!&|?:;");

/** Words after which a slash begins a regular expression, in which a quote is no quote. */
const BEFORE_PATTERN: ReadonlySet<string> = new Set(["return", "true", "false", "null", "Math", "MovingFunctions"]);

/** What must not stand in a script; `undefined` for an expression. */
export function strangeInScript(source: string): string | undefined {
  const tokens = (source.match(TOKEN) ?? []).filter((token) => token.trim() !== "");
  return tokens.find((token, i) => {
    const before = tokens[i - 1] ?? "";
    const next = tokens[i + 1];
    if (/^\w/.test(token)) {
      if (/^\d/.test(token)) return false;
      return next === "(" ? !FUNCTIONS.has(token) : before !== "." && !ROOTS.has(token);
    }
    if (/^["'].*["']$/s.test(token) && token.length > 1) return false;
    if (token === "/") return !/^[\w)\]]/.test(before) || BEFORE_PATTERN.has(before);
    if (token === ";") return next !== undefined;
    return token.length === 1 ? !SIGNS.has(token) : !token.endsWith("=");
  });
}
