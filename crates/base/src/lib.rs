//! Finds, checks and loads pretrained bases, prepares image and text for them, runs them.
