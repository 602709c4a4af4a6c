/**
 * The image encoders that have a name: what they are and where their files come from. One entry is all that a further encoder needs.
 */
import type { HubKind } from "./text/fetch.ts";

export interface NamedImageEncoder {
  readonly about: string;
  readonly licence: string;
  /** It comes with this project: folder, and SHA-256 of its graph. */
  readonly bundled?: { readonly folder: string; readonly sha256: string };
  /** Model of the Hugging Face hub. */
  readonly hub?: string;
}

/** Trained on drawings, and a model was trained on its vectors. */
export const BUILTIN_IMAGES = "builtin";

/** For photographs. */
export const PHOTOGRAPHS = "mobilenet-v2";

export const NAMED_IMAGE_ENCODERS: Readonly<Record<string, NamedImageEncoder>> = {
  [PHOTOGRAPHS]: {
    about: "MobileNetV2, trained on photographs, 2.3 MB",
    licence: "Apache-2.0",
    bundled: { folder: "model/encoders/mobilenet-v2", sha256: "f266a0883b27ece2396c5a2cd50d39a6d0c0da3df82821152f1ac192198adb3e" },
  },
  dinov2: { about: "DINOv2 small, 88 MB", licence: "Apache-2.0", hub: "Xenova/dinov2-small" },
  clip: { about: "CLIP ViT-B/32, words and pictures in one space, English", licence: "MIT", hub: "Xenova/clip-vit-base-patch32" },
  siglip: { about: "SigLIP base, words and pictures in one space, English", licence: "Apache-2.0", hub: "Xenova/siglip-base-patch16-224" },
};

/** Of a joint encoder both halves, which have files of their own; not quantised, for convolutions are slower so. */
export const HUB_PICTURES: HubKind = {
  what: "image encoder",
  folder: "hf-pictures",
  files: [
    { file: "preprocessor_config.json", paths: ["preprocessor_config.json"] },
    { file: "config.json", paths: ["config.json"], isOptional: true },
    { file: "tokenizer.json", paths: ["tokenizer.json"], isOptional: true },
    { file: "text_model.onnx", paths: ["onnx/text_model_quantized.onnx", "onnx/text_model.onnx"], isOptional: true },
    { file: "model.onnx", paths: ["onnx/vision_model.onnx", "onnx/model.onnx", "model.onnx", "onnx/model_quantized.onnx"] },
  ],
  without: `--image-encoder ${PHOTOGRAPHS}`,
};

export const IMAGE_ENCODER_CHOICES = `${[BUILTIN_IMAGES, ...Object.keys(NAMED_IMAGE_ENCODERS)].join(", ")}, a path to an .onnx file, or hf:<owner>/<model>`;

export const IMAGE_ENCODER_HELP = `${IMAGE_ENCODER_CHOICES} (default: ${PHOTOGRAPHS}; ${BUILTIN_IMAGES} where most pictures are SVG drawings)`;

/** A line for each named encoder. */
export function describeImageEncoders(): string {
  const rows = Object.entries(NAMED_IMAGE_ENCODERS).map(
    ([name, { about, licence, hub }]) =>
      `  ${name.padEnd(14)}${about}; ${licence}; ${hub === undefined ? "comes with this package" : `from huggingface.co/${hub}`}`,
  );
  return `${rows.join("\n")}\n`;
}
