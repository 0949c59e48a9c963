//! Readers of the files pretrained weights come in.
