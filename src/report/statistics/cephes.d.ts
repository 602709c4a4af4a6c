/** Of `cephes`, whose own types its package does not export: the functions that `distributions.ts` calls. */
declare module "cephes" {
  /** Resolves when the WebAssembly is ready; before that the functions cannot be called. */
  export const compiled: Promise<void>;
  export function ndtr(x: number): number;
  export function ndtri(p: number): number;
  export function igamc(a: number, x: number): number;
  export function incbet(a: number, b: number, x: number): number;
  export function lbeta(a: number, b: number): number;
  export function incbi(a: number, b: number, p: number): number;
}
