//! Network families, each written once as a plain function over [`crate::graph`].
