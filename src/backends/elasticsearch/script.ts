/**
 * Scripts of clients, as far as the edge lets them run with its own key: one expression over the document, the parameters and the score.
 *
 * A statement could loop, or double a text until the node has no memory left; an expression costs as much as it is long. Names stand in an
 * allow-list, because the engine's library has methods that do either.
 */

/** A text, with its end or without, a number, a name, or one or two signs. */
const TOKEN =
  /\s+|'(?:[^'\\]|\\['\\])*'?|"(?:[^"\\]|\\["\\])*"?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[lLfFdD]?|[A-Za-z_]\w*|===?|[!<>]==?|->|::|\/[/*]|[^]/gy;

const TEXT = /^(?:'(?:[^'\\]|\\['\\])*'|"(?:[^"\\]|\\["\\])*")$/;

const FUNCTIONS: ReadonlySet<string> = new Set(
  `abs acos asin atan atan2 cbrt ceil cos exp floor haversin hypot ln log log10 log1p log2 logn max min pow random round signum sin sqrt tan
  toDegrees toRadians size length isEmpty empty get containsKey contains indexOf getValue getLat getLon getMillis toInstant toEpochMilli getYear
  arcDistance planeDistance arcDistanceWithDefault cosineSimilarity dotProduct l1norm l2norm l1Norm l2Norm lInfNorm hamming innerProduct
  maxSimDotProduct maxSimInvHamming hammingBit saturation sigmoid randomScore decayNumericLinear decayNumericExp decayNumericGauss decayDateLinear
  decayDateExp decayDateGauss decayGeoLinear decayGeoExp decayGeoGauss emit sum stdDev unweightedAvg linearWeightedAvg ewma holt
  intValue longValue floatValue doubleValue parseInt parseLong parseFloat parseDouble`.split(/\s+/),
);

const ROOTS: ReadonlySet<string> = new Set(
  "doc params _score _value value values Math MovingFunctions Integer Long Float Double true false null return knn_score".split(" "),
);

const SIGNS = new Set("+-*/%()[].,<>!&|?:;");

/** Words after which a slash begins a regular expression, in which a quote is no quote. */
const BEFORE_PATTERN: ReadonlySet<string> = new Set([
  "return",
  "true",
  "false",
  "null",
  "Math",
  "MovingFunctions",
  "Integer",
  "Long",
  "Float",
  "Double",
]);

/** Elasticsearch's own limit (`script.max_size_in_bytes`), here for all scripts of a request. */
export const MAX_SCRIPT_CHARS = 65_535;

/** What must not stand in a script; `undefined` for an expression. */
export function strangeInScript(source: string): string | undefined {
  const tokens = source.match(TOKEN) ?? [];
  let before = "";
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (isSpace(token)) continue;
    if (!isDigit(token)) {
      const after = tokens[i + 1];
      const next = after !== undefined && isSpace(after) ? tokens[i + 2] : after;
      if (isStrange(token, before, next)) return token;
    }
    before = token;
  }
  return undefined;
}

/** By the first character, which for ASCII says it without a pattern. */
function isSpace(token: string): boolean {
  const code = token.charCodeAt(0);
  return code <= 0x20 || code >= 0x7f ? token.trim() === "" : false;
}

function isDigit(token: string): boolean {
  const code = token.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}

function isStrange(token: string, before: string, next: string | undefined): boolean {
  if (token.length === 1 && token !== "/" && token !== ";" && SIGNS.has(token)) return false;
  if (/^\w/.test(token)) return next === "(" ? !FUNCTIONS.has(token) : before !== "." && !ROOTS.has(token);
  if (TEXT.test(token)) return false;
  if (token === "/") return !/^[\w)\]]/.test(before) || BEFORE_PATTERN.has(before);
  if (token === ";") return next !== undefined;
  return token.length === 1 ? !SIGNS.has(token) : !token.endsWith("=");
}
