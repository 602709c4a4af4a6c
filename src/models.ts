/**
 * The models that this Worker carries. The first is live (`armmt`); others serve by their version (`armmt@<version>`) beside it, so that an
 * experiment can compare them: add two imports and a line.
 */
import type { ModelFiles } from "./inference/scorers.ts";
import manifest from "../model/manifest.json";
import model from "../model/student.onnx";

export const MODELS: readonly ModelFiles[] = [{ model, manifest }];
