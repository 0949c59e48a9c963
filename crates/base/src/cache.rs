//! The folder of pulled bases.
