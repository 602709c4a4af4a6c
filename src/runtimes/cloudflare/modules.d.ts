/** Files that the Worker bundle imports as modules, by wrangler's rules. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module "*.bin" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module "*.html" {
  const text: string;
  export default text;
}

declare module "cloudflare:workers" {
  export const env: import("./index.ts").Env;
}
