//! The part of the ONNX file format that is written here.
