"""Training side of armmt-edge: image encoder, teacher, distilled student, ONNX export. Serving needs none of it."""
