//! Turns a graph and its weights into an ONNX model.
