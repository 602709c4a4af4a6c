/**
 * WebGPU in Node: Dawn, by the npm package `webgpu` where it is installed. Deno and browsers have their own `navigator.gpu`.
 */

/**
 * Installs `navigator.gpu` and WebGPU's classes, which onnxruntime-web looks for as globals, and returns it; what is there already stays.
 * Rejects when the package is not installed or does not load. Drivers are found when it loads, so environment variables such as
 * VK_ICD_FILENAMES must be set before.
 */
export async function installNodeGpu(): Promise<GPU> {
  if ("gpu" in navigator) return navigator.gpu;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  return gpu;
}
